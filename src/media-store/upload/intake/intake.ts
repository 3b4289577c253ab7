import type { IncomingMessage } from 'node:http';
import type { Staging } from '../../files/staging.ts';
import { StoreError } from '../../store-error.ts';
import { Allowance } from './allowance.ts';
import { readForm, requestTooLarge } from './form.ts';
import { readJson } from './json.ts';
import { MAX_SILENCE } from './limits.ts';
import type { IntakeRules, Submission } from './submission.ts';

/** Room for the parameters and the multipart framing beside the file. */
const FRAMING_ALLOWANCE = 2_000_000;

/**
 * Reads a request to the Upload API in any of its encodings. A submission with bytes leaves a staged file, which the
 * caller must store or discard; when this rejects there is none.
 */
export async function readSubmission(
  request: IncomingMessage,
  staging: Staging,
  rules: IntakeRules,
): Promise<Submission> {
  if (Number(request.headers['content-length'] ?? 0) > rules.maxFileBytes + FRAMING_ALLOWANCE) {
    throw requestTooLarge(rules.maxFileBytes);
  }
  const allowance = new Allowance();
  request.setTimeout(MAX_SILENCE, () => request.destroy());
  try {
    return await readBody(request, staging, rules, allowance);
  } finally {
    request.setTimeout(0);
    allowance.giveBack();
  }
}

function readBody(
  request: IncomingMessage,
  staging: Staging,
  rules: IntakeRules,
  allowance: Allowance,
): Promise<Submission> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  switch (type) {
    case 'multipart/form-data':
    case 'application/x-www-form-urlencoded':
      return readForm(request, staging, rules, allowance);
    case 'application/json':
      return readJson(request, allowance);
    case '':
      return Promise.resolve({ fields: new Map() });
    default:
      throw new StoreError(
        400,
        `Unsupported content type - ${type}. Use multipart/form-data, application/x-www-form-urlencoded or application/json`,
      );
  }
}

import { errors } from 'undici';
import { AssetFailure } from '../../asset/failure.ts';
import type { Reason } from '../../asset/reason.ts';
import { AddressBlocked } from '../guarded-dispatcher.ts';

interface Explanation {
  readonly reason: Reason;
  readonly detail: string;
  readonly hint?: string;
}

const timeoutHint = 'raise the timeouts under network if the origin is slow by nature';

/** By the `code` of undici and of Node's sockets, resolver and TLS. What is not listed is named by its code. */
const byCode: Readonly<Record<string, Explanation>> = {
  UND_ERR_CONNECT_TIMEOUT: {
    reason: 'origin-timeout',
    detail: 'no connection to the origin in time',
    hint: timeoutHint,
  },
  ETIMEDOUT: { reason: 'origin-timeout', detail: 'no connection to the origin in time', hint: timeoutHint },
  UND_ERR_HEADERS_TIMEOUT: { reason: 'origin-timeout', detail: 'no answer from the origin in time', hint: timeoutHint },
  ECONNREFUSED: { reason: 'origin-error', detail: 'the origin refuses connections' },
  ENOTFOUND: { reason: 'origin-error', detail: 'the origin’s host name does not exist' },
  EAI_AGAIN: { reason: 'origin-error', detail: 'the origin’s host name cannot be resolved at present' },
  EHOSTUNREACH: { reason: 'origin-error', detail: 'there is no route to the origin' },
  ENETUNREACH: { reason: 'origin-error', detail: 'there is no route to the origin' },
  UND_ERR_SOCKET: { reason: 'origin-error', detail: 'the origin closed the connection without an answer' },
  ECONNRESET: { reason: 'origin-error', detail: 'the origin reset the connection without an answer' },
  EPIPE: { reason: 'origin-error', detail: 'the origin closed the connection without an answer' },
  UND_ERR_HEADERS_OVERFLOW: { reason: 'origin-error', detail: 'the origin’s headers are larger than 16 KB' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: {
    reason: 'origin-error',
    detail: 'the origin states the length of the body in two ways that differ',
  },
};

/** Why there is no answer. An {@link AssetFailure} passes through. */
export function exchangeFailure(error: unknown): AssetFailure {
  if (error instanceof AssetFailure) return error;
  if (error instanceof AddressBlocked) {
    return new AssetFailure('origin-blocked', {
      detail: error.message,
      hint: 'network.allowPrivate opens private and loopback addresses for this mapping; the others never',
      cause: error,
    });
  }
  if (error instanceof errors.HTTPParserError) {
    return new AssetFailure('origin-error', {
      detail: `the origin does not speak HTTP: ${error.message}`,
      cause: error,
    });
  }
  const code = errorCode(error);
  const explanation = byCode[code] ?? explainTls(code);
  const detail = explanation?.detail ?? `the origin cannot be reached: ${code === '' ? 'unknown error' : code}`;
  return new AssetFailure(explanation?.reason ?? 'origin-error', {
    detail,
    cause: error,
    ...(explanation?.hint === undefined ? {} : { hint: explanation.hint }),
  });
}

/** Why a body that had begun is not whole. */
export function bodyFailure(error: unknown, received: number, expected: number | undefined): AssetFailure {
  if (error instanceof AssetFailure) return error;
  const progress = expected === undefined ? `after ${received} bytes` : `after ${received} of ${expected} bytes`;
  const what =
    error instanceof errors.HTTPParserError
      ? `broken framing (${error.message})`
      : errorCode(error) === 'ECONNRESET'
        ? 'a connection reset'
        : 'the end of the connection';
  return new AssetFailure('origin-truncated', { detail: `the body breaks off by ${what} ${progress}`, cause: error });
}

function explainTls(code: string): Explanation | undefined {
  return /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code)
    ? {
        reason: 'origin-error',
        detail: `the origin’s TLS certificate or handshake is not acceptable: ${code}`,
        hint: 'a private authority is trusted by NODE_EXTRA_CA_CERTS',
      }
    : undefined;
}

/** When every address of a name failed, Node gives the failures as one error: the first with a code speaks for all. */
function errorCode(error: unknown): string {
  const candidates = error instanceof AggregateError ? [error, ...error.errors] : [error];
  const coded = candidates.find((candidate): candidate is { code: string } => typeof candidate?.code === 'string');
  return coded?.code ?? '';
}

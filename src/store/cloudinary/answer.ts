import type { Reason } from '../../asset/reason.ts';

/** A complete answer of the store, whatever it says. */
export interface StoreAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body where it is a JSON object; undefined where it is anything else. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** What a status or a text of the store means, and what the operator can do about it. */
export interface Meaning {
  readonly reason: Reason;
  readonly hint?: string;
}

/** No text of Cloudinary's comes near this, the URL it quotes included; patterns are never matched on more. */
const longestText = 10_000;

/** The text of Cloudinary's error envelope, or of `X-Cld-Error`. Undefined where nothing of Cloudinary's is there. */
export function errorText(answer: StoreAnswer): string | undefined {
  return (envelopeText(answer) ?? answer.headers['x-cld-error'])?.slice(0, longestText);
}

function envelopeText({ json }: StoreAnswer): string | undefined {
  const error = json?.error;
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string') {
    return error.message;
  }
  return typeof error === 'string' ? error : undefined;
}

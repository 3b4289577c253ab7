import { AssetFailure } from '../../asset/failure.ts';

interface Explanation {
  readonly detail: string;
  readonly hint?: string;
  /** The connection broke under a request that may be sent again at once: most often one kept alive too long. */
  readonly broken?: boolean;
}

const networkHint = 'check that this machine reaches the host of store.uploadPrefix (api.cloudinary.com)';

/** By the `code` of undici and of Node's sockets, resolver and TLS. What is not listed is named by its code. */
const byCode: Readonly<Record<string, Explanation>> = {
  UND_ERR_CONNECT_TIMEOUT: { detail: 'no connection to the store in time', hint: networkHint },
  ETIMEDOUT: { detail: 'no connection to the store in time', hint: networkHint },
  ECONNREFUSED: { detail: 'the store refuses connections', hint: networkHint },
  ENOTFOUND: { detail: 'the store’s host name does not exist', hint: networkHint },
  EAI_AGAIN: { detail: 'the store’s host name cannot be resolved at present', hint: networkHint },
  EHOSTUNREACH: { detail: 'there is no route to the store', hint: networkHint },
  ENETUNREACH: { detail: 'there is no route to the store', hint: networkHint },
  UND_ERR_SOCKET: { detail: 'the store closed the connection without an answer', broken: true },
  ECONNRESET: { detail: 'the store reset the connection without an answer', broken: true },
  EPIPE: { detail: 'the store closed the connection without an answer', broken: true },
  UND_ERR_HEADERS_TIMEOUT: { detail: 'no answer from the store in time' },
  UND_ERR_BODY_TIMEOUT: { detail: 'the store’s answer broke off' },
  UND_ERR_HEADERS_OVERFLOW: { detail: 'the store’s headers are larger than 16 KB' },
};

export interface NetworkFailure {
  readonly failure: AssetFailure;
  /** Whether to send the request again at once, if sending it twice does no harm. */
  readonly broken: boolean;
}

/** Why there is no answer. */
export function networkFailure(error: unknown): NetworkFailure {
  const code = errorCode(error);
  const known = byCode[code] ?? tlsExplanation(code);
  return {
    failure: new AssetFailure('store-unreachable', {
      detail: known?.detail ?? `the store cannot be reached: ${code === '' ? 'unknown error' : code}`,
      ...(known?.hint !== undefined && { hint: known.hint }),
      cause: error,
    }),
    broken: known?.broken ?? false,
  };
}

function tlsExplanation(code: string): Explanation | undefined {
  return /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO)/.test(code)
    ? {
        detail: `the store’s TLS certificate or handshake is not acceptable: ${code}`,
        hint: 'a private authority is trusted by NODE_EXTRA_CA_CERTS',
      }
    : undefined;
}

/** When every address of a name failed, Node gives the failures as one error: the first with a code speaks for all. */
function errorCode(error: unknown): string {
  const candidates: unknown[] = error instanceof AggregateError ? [error, ...error.errors] : [error];
  for (const candidate of candidates) {
    if (candidate instanceof Error && 'code' in candidate && typeof candidate.code === 'string') return candidate.code;
  }
  return '';
}

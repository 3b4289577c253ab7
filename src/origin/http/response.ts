import { AssetFailure } from '../../asset/failure.ts';
import type { OriginFacts } from '../../asset/record.ts';
import { endToEndHeaders, type RawHeaders } from '../../http/headers.ts';
import { effectiveType } from '../../http/media-type.ts';
import { statedMd5 } from '../digest.ts';
import type { OriginResponse } from '../origin.ts';

/**
 * Reads an answer's head.
 *
 * @throws {AssetFailure} `origin-error` when its framing cannot be told
 */
export function readResponse(status: number, raw: RawHeaders): OriginResponse {
  const headers = withOneType(endToEndHeaders(raw));
  const framing = readFraming(status, raw);
  const md5 = statedMd5(status, headers);
  return {
    status,
    facts: readFacts(status, headers),
    headers,
    framed: framing.framed,
    ...(framing.length === undefined ? {} : { length: framing.length }),
    ...(md5 === undefined ? {} : { md5 }),
  };
}

/** Whoever reads the headers from here on, clients included, sees the type that browsers would go by. */
function withOneType(headers: Record<string, string>): Record<string, string> {
  const type = headers['content-type'];
  return type === undefined ? headers : { ...headers, 'content-type': effectiveType(type) };
}

interface Framing {
  readonly framed: boolean;
  readonly length?: number;
}

/** Where the body ends (RFC 9112 §6.3). */
function readFraming(status: number, raw: RawHeaders): Framing {
  if (status === 204 || status === 304) return { framed: true, length: 0 };
  const coding = String(raw['transfer-encoding'] ?? '').trim();
  if (coding !== '') {
    if (coding.toLowerCase() !== 'chunked') {
      throw new AssetFailure('origin-error', {
        detail: `the origin sends the body in a transfer coding that is not understood: ${coding.slice(0, 60)}`,
        status,
      });
    }
    return { framed: true };
  }
  const length = contentLength(raw['content-length']);
  if (length !== undefined) return { framed: true, length };
  // A HEAD answer without a length promises nothing of the body that GET would bring.
  return { framed: false };
}

function contentLength(value: string | readonly string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function readFacts(status: number, headers: Readonly<Record<string, string>>): OriginFacts {
  const facts = {
    bytes: objectLength(status, headers),
    contentType: headers['content-type'],
    contentDisposition: headers['content-disposition'],
    contentEncoding: contentEncoding(headers['content-encoding']),
    contentLanguage: headers['content-language'],
    cacheControl: headers['cache-control'],
    etag: headers.etag,
    lastModified: headers['last-modified'],
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** `identity` is the absence of a coding, however it is written. */
function contentEncoding(value: string | undefined): string | undefined {
  return value === undefined || /^(?:identity)?$/i.test(value.trim()) ? undefined : value;
}

/** The whole object's length: of a part, what `Content-Range` says behind the slash. */
function objectLength(status: number, headers: Readonly<Record<string, string>>): number | undefined {
  if (status === 206 || status === 416) {
    const total = /^bytes .*\/(\d{1,15})$/i.exec(headers['content-range']?.trim() ?? '')?.[1];
    return total === undefined ? undefined : Number(total);
  }
  return status === 200 || status === 304 ? contentLength(headers['content-length']) : undefined;
}

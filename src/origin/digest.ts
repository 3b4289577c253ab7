type Headers = Readonly<Record<string, string>>;

/**
 * The MD5 that an origin states for the whole object, in lower-case hex; undefined when it states none.
 *
 * `Repr-Digest` (RFC 9530) and `Digest` (RFC 3230) speak of the whole object whatever part was sent; `Content-MD5`
 * (RFC 1864) and `Content-Digest` (RFC 9530) of the content of this very answer, so a part's proves nothing.
 * Google Cloud Storage names the MD5 of what it stores, which is what it sends unless it stores it compressed.
 * An ETag is never taken for a digest.
 */
export function statedMd5(status: number, headers: Headers): string | undefined {
  const whole = dictionaryMd5(headers['repr-digest']) ?? listMd5(headers.digest) ?? googleMd5(headers);
  if (whole !== undefined || status !== 200) return whole;
  return dictionaryMd5(headers['content-digest']) ?? base64ToHex(headers['content-md5']?.trim());
}

/** `md5=:base64:, sha-256=:…:` (a structured dictionary of byte sequences). */
function dictionaryMd5(value: string | undefined): string | undefined {
  return base64ToHex(/(?:^|,)\s*md5\s*=\s*:([A-Za-z0-9+/=]*):/.exec(value ?? '')?.[1]);
}

/** `MD5=base64,SHA=…`: the algorithm's case does not matter. */
function listMd5(value: string | undefined): string | undefined {
  return base64ToHex(/(?:^|,)\s*md5\s*=\s*([A-Za-z0-9+/=]+)\s*(?:,|$)/i.exec(value ?? '')?.[1]);
}

function googleMd5(headers: Headers): string | undefined {
  return headers['x-goog-stored-content-encoding'] === 'identity' ? listMd5(headers['x-goog-hash']) : undefined;
}

/** Sixteen bytes in base64, or nothing. */
function base64ToHex(value: string | undefined): string | undefined {
  return value !== undefined && /^[A-Za-z0-9+/]{22}(?:==)?$/.test(value)
    ? Buffer.from(value, 'base64').toString('hex')
    : undefined;
}

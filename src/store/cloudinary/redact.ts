/**
 * Takes out of a text that goes into an error what nobody else may see: user names and passwords of URLs, queries
 * (pre-signed URLs carry their signature there), signatures and the given secrets. The store's texts quote what we
 * sent it, and a signature is good for an hour.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let redacted = text;
  for (const secret of secrets) if (secret !== '') redacted = redacted.replaceAll(secret, '[secret]');
  return redacted
    .replace(/:\/\/[^\s/?#@]*@/g, '://[credentials]@')
    .replace(/(:\/\/[^\s?#]*)(\?[^\s#'"]*)?/g, (_, url: string, query?: string) =>
      query === undefined ? url : `${url}?[query]`,
    )
    .replace(/\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]+/g, '$1 [secret]')
    .replace(/\b(Invalid Signature)\s+\S+/gi, '$1 [signature].');
}

/** Header values as Node and undici give them: repeated fields as a list. */
export type RawHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Fields that belong to one connection, not to the message (RFC 9110 §7.6.1), with the common unregistered ones. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The field names a `Connection` header lists, in lower case: hop-by-hop in this message only. */
export function connectionOptions(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  const values = typeof connection === 'string' ? [connection] : (connection ?? []);
  return new Set(
    values.flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase())).filter((name) => name !== ''),
  );
}

/**
 * The end-to-end headers of a message: lower-case names, without hop-by-hop fields and those that `Connection` names.
 *
 * Repeated fields are joined by `, ` (RFC 9110 §5.3). That is wrong for `set-cookie` alone; what remains of it says
 * that a cookie was set, and must not be sent on.
 */
export function endToEndHeaders(headers: RawHeaders): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const named = connectionOptions(entries.find(([name]) => name === 'connection')?.[1]);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      if (value === undefined || hopByHop.has(name) || named.has(name)) return [];
      return [[name, typeof value === 'string' ? value : value.join(', ')]];
    }),
  );
}

/** Whether the value may stand in a header field: no control characters but the tab, nothing beyond Latin-1. */
export function isFieldValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/**
 * The same head with `Content-Disposition` ahead of all else.
 *
 * Behind a `Content-Length`, Node (26.10) takes the bytes of that field for UTF-8 and sends the low byte of each
 * character, unchecked: a name beyond Latin-1 is garbled, and U+010D U+010A in it end the line, so that whoever names
 * a file at the origin writes headers of ours.
 */
export function dispositionFirst(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'content-disposition': disposition, ...others } = headers;
  return disposition === undefined ? headers : { 'content-disposition': disposition, ...others };
}

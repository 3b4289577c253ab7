/**
 * Request targets that try to leave a mapping's origin prefix, or to lead somebody elsewhere: facts from the public
 * lists (OWASP path traversal, fuzzdb, PayloadsAllTheThings) and from the CVEs in SECURITY.md, recombined as our own
 * cases. One character per byte.
 */

/** Ways to write `..`, also for those who decode twice, take it for UTF-8, or drop what they do not know. */
const dots = [
  ...['..', '%2e%2e', '%2E%2E', '.%2e', '%2e.', '%252e%252e', '%25252e%25252e', '%2525252e%2525252e', '..%00', '.%00.'],
  ...['..%09', '.%09.', '.\t.', '..\t', '.%0d.', '.%0a.', '..;', '..;a=b', '..%3b', '%2e%2e%3b', '..%20', '..%01'],
  ...['%c0%ae%c0%ae', '%c0%2e%c0%2e', '%e0%80%ae%e0%80%ae', '%f0%80%80%ae', '%uff0e%uff0e', '%u002e%u002e'],
  ...['%%32%65%%32%65', '%25%32%65%25%32%65', '..%23', '..%3f', '...', '....', '.%E2%80%A4', '%ef%bc%8e%ef%bc%8e'],
];

/** Ways to write `/`. */
const slashes = [
  ...['/', '//', '/./', '\\', '%5c', '%255c', '%25255c', '%2f', '%2F', '%252f', '%25252f', '%c0%af', '%c1%9c'],
  ...['%e0%80%af', '%u2215', '%ef%bc%8f', '/;/', '/%2f', '/%00/', '%00/', '/%09/', '\x85'],
];

/** What somebody might want to reach behind them. */
const shapes: readonly ((up: string, slash: string) => string)[] = [
  (up, slash) => `${up}${slash}secret.txt`,
  (up, slash) => `${up}${slash}${up}${slash}secret.txt`,
  (up, slash) => `a${slash}${up}${slash}${up}${slash}secret.txt`,
  (up, slash) => `a.jpg${slash}${up}${slash}${up}${slash}${up}${slash}etc${slash}passwd`,
  (up, slash) => `${slash}${up}${slash}secret.txt?x=${up}${slash}`,
];

/** Everything that follows a mapping's prefix. */
export function traversals(): string[] {
  return dots.flatMap((up) => slashes.flatMap((slash) => shapes.map((shape) => shape(up, slash))));
}

/** What would lead elsewhere if it were taken for a URL, or for a header. `stranger` is a host and port. */
export function strangers(stranger: string): string[] {
  const schemes = ['http:', 'https:', 'HTTP:', 'file:', 'ftp:', 'gopher:', 'javascript:', 'data:', 's3:', 'ws:', ''];
  const joints = [
    '//',
    '///',
    '/\\',
    '\\\\',
    '\\/',
    '/%2f',
    '%2f%2f',
    '%5c%5c',
    '/%09/',
    '/.',
    '//a@',
    '//a:b@',
    '/',
    '',
  ];
  const ends = ['', '/', '/a.jpg', '%2fa.jpg', '?a.jpg', '%23a.jpg', ':80/a.jpg', '%00.example.com/', '%20/', ';.jpg'];
  return schemes.flatMap((scheme) =>
    joints.flatMap((joint) => ends.map((end) => `${scheme}${joint}${stranger}${end}`)),
  );
}

/** Line breaks in each of their disguises, with a header or a whole answer behind them. */
export function lineBreaks(): string[] {
  const breaks = [
    ...['%0d%0a', '%0D%0A', '%0a', '%0d', '%250d%250a', '%25250a', '%%0a0a', '%u000d%u000a', '%E5%98%8A%E5%98%8D'],
    ...['%e2%80%a8', '%c4%8d%c4%8a', '\x85', '%85', '%00%0a', '%0b', '%0c', '%1c', '%5cr%5cn', '\\r\\n', '%23%0d%0a'],
  ];
  const loads = [
    ...['x-injected:%201', 'Set-Cookie:a=b', 'Location:%20//evil.example/', 'Content-Length:%200%0d%0a%0d%0aHTTP/1.1'],
  ];
  const places = ['', 'a.jpg', 'a.jpg?q=', '?', 'a/'];
  return breaks.flatMap((line) => loads.flatMap((load) => places.map((place) => `${place}${line}${load}`)));
}

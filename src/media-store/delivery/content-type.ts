import mime from 'mime-types';

/** Types that a browser runs: delivered in a sandbox. */
const active = new Set([
  'image/svg+xml',
  'text/html',
  'application/xhtml+xml',
  'application/pdf',
  'text/xml',
  'application/xml',
]);

/** Content type of a delivered file by its format or extension; bytes of unknown kind are `application/octet-stream`. */
export function contentTypeOf(format: string): string {
  return mime.contentType(`file.${format}`) || 'application/octet-stream';
}

/** Headers that keep a delivered file from acting on the site that delivers it. */
export function protectiveHeaders(contentType: string): Record<string, string> {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const isActive = active.has(type) || type.endsWith('+xml') || type.includes('javascript');
  return {
    'x-content-type-options': 'nosniff',
    ...(isActive && {
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
    }),
  };
}

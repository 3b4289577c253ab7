import { AssetFailure } from '../../asset/failure.ts';

/** Controls, the space and the delete character. */
const unprintable = /[^\x21-\x7e\u0080-\uffff]/g;

/**
 * The URL, once it is sure to lie below the mapping's origin. The path was normalised long before; this is the last
 * check ahead of the network, and it takes nothing on trust.
 *
 * @param origin as configured, ending with a slash; URLs begin with it to the letter
 * @throws {AssetFailure} `origin-blocked`
 */
export function withinOrigin(text: string, origin: string): URL {
  const base = new URL(origin);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !text.startsWith(origin) || !isBelow(url, base) || !isPlain(text.slice(origin.length))) {
    throw new AssetFailure('origin-blocked', {
      detail: `the request leads out of the mapping's origin ${base.href}`,
      hint: 'a mapping reaches only what lies below its origin',
    });
  }
  url.hash = '';
  return url;
}

function isBelow(url: URL, base: URL): boolean {
  return url.origin === base.origin && url.username + url.password === '' && url.pathname.startsWith(base.pathname);
}

function isPlain(rest: string): boolean {
  // The URL parser drops tabs and line breaks: `.<tab>.` would become `..` behind our back.
  return rest.search(unprintable) === -1 && !climbs(rest.split(/[?#]/, 1)[0] ?? '');
}

/**
 * Whether somebody would see a `.` or `..` in the path: the URL parser, which takes it out and asks for another object
 * than the one named; or an origin that decodes once or twice, takes a backslash for a slash, ends the path at `;` or
 * NUL, or drops control characters.
 */
function climbs(text: string): boolean {
  const once = decodeTriplets(text);
  return [text, once, decodeTriplets(once)].some((form) =>
    /(?:^|[/\\])\.{1,2}(?:[/\\;?#]|$)/.test(form.replaceAll('\0', '/').replace(unprintable, '')),
  );
}

/** Decodes the ASCII escapes only: what is malformed or beyond ASCII can hold neither a dot nor a slash. */
function decodeTriplets(path: string): string {
  return path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

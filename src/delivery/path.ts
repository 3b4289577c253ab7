/**
 * Normalises request targets, so that one origin object has one spelling, and refuses the ones that could leave a
 * mapping's origin prefix. RFC 3986 §6.2.2, RFC 9112 §3.2.
 *
 * - Unreserved characters and those sub-delimiters that every file server treats alike (`! $ & ' ( ) * , = : @`) are
 *   written literally, whatever the client did; `%20(1)` and `%20%281%29` are the same object.
 * - `;` and `+` keep the client's spelling: some servers read parameters or spaces into them.
 * - Everything else is percent-encoded with upper-case digits. The result is printable ASCII without spaces.
 * - Dot segments, separators and NUL are refused at any depth of encoding, because an origin may decode once more
 *   than it should.
 */

export type PathProblem =
  | 'not-origin-form'
  | 'fragment'
  | 'too-long'
  | 'bad-percent-encoding'
  | 'dot-segment'
  | 'encoded-separator'
  | 'backslash'
  | 'control-character'
  | 'overlong-utf8';

export type Target =
  | { readonly ok: true; readonly path: string; readonly query: string }
  | { readonly ok: false; readonly problem: PathProblem };

/** Longest request target taken, in bytes. */
export const maxTargetLength = 8192;

const alreadyNormal = /^\/[A-Za-z0-9\-._~!$&'()*,=:@;+/]*$/;
const literal = /[A-Za-z0-9\-._~!$&'()*,=:@/]/;
const literalAsWritten = /[;+]/;
const literalInQuery = /[A-Za-z0-9\-._~!$&'()*,=:@/?;+]/;
const unreserved = /[A-Za-z0-9\-._~]/;
const hexPair = /^[0-9a-fA-F]{2}$/;
/** Also beside `;`: some servers take what follows it, or what stands before it, for a parameter. */
const dotSegment = /(?:^|[/;])\.{1,2}(?:$|[/;])/;

/** How many times an origin might decode a path. Deeper encodings than this are names, not attacks. */
const decodingDepth = 4;

/** `target` is the request line's target, one character per byte, as Node gives it in `request.url`. */
export function parseTarget(target: string): Target {
  if (target.length > maxTargetLength) return { ok: false, problem: 'too-long' };
  if (!target.startsWith('/')) return { ok: false, problem: 'not-origin-form' };
  if (target.includes('#')) return { ok: false, problem: 'fragment' };
  const mark = target.indexOf('?');
  const rawPath = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : normaliseQuery(target.slice(mark + 1));
  if (query === undefined) return { ok: false, problem: 'control-character' };
  if (alreadyNormal.test(rawPath)) {
    return dotSegment.test(rawPath) ? { ok: false, problem: 'dot-segment' } : { ok: true, path: rawPath, query };
  }
  const path = normalisePath(rawPath);
  return typeof path === 'string' ? { ok: true, path, query } : { ok: false, problem: path.problem };
}

function normalisePath(raw: string): string | { readonly problem: PathProblem } {
  if (/%(?![0-9a-fA-F]{2})/.test(raw)) return { problem: 'bad-percent-encoding' };
  const danger = findDanger(raw);
  if (danger !== undefined) return { problem: danger };
  let path = '';
  for (const { code, encoded } of decodeOnce(raw)) {
    const character = String.fromCharCode(code);
    const keep = code < 0x80 && (literal.test(character) || (!encoded && literalAsWritten.test(character)));
    path += keep ? character : percentEncode(code);
  }
  return path;
}

/** Looks for what is dangerous in the path as written and in each further decoding of it. */
function findDanger(raw: string): PathProblem | undefined {
  let text = raw;
  for (let depth = 0; depth <= decodingDepth; depth += 1) {
    if (dotSegment.test(text)) return 'dot-segment';
    if (text.includes('\\')) return 'backslash';
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code < 0x20 || code === 0x7f) return 'control-character';
    }
    if (hasOverlongUtf8(text)) return 'overlong-utf8';
    const decoded = decodeOnce(text);
    if (decoded.some(({ code, encoded }) => encoded && code === 0x2f)) return 'encoded-separator';
    const next = String.fromCharCode(...decoded.map(({ code }) => code));
    if (next === text) return undefined;
    text = next;
  }
  return undefined;
}

interface DecodedByte {
  readonly code: number;
  /** True when the client wrote it as `%XX`. */
  readonly encoded: boolean;
}

/** One level of percent-decoding, byte by byte. A `%` without two hex digits stays, as lenient origins decode it. */
function decodeOnce(text: string): DecodedByte[] {
  const bytes: DecodedByte[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const digits = code === 0x25 ? text.slice(index + 1, index + 3) : '';
    const encoded = hexPair.test(digits);
    bytes.push({ code: encoded ? Number.parseInt(digits, 16) : code, encoded });
    if (encoded) index += 2;
  }
  return bytes;
}

/** UTF-8 that spells a character in more bytes than it needs: the classic way to hide `/` and `.` from a filter. */
function hasOverlongUtf8(text: string): boolean {
  return /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/.test(text);
}

/**
 * The query with unreserved characters written literally and all other escapes kept, in upper case: what separates
 * parameters must not be mistaken for what is in them. Undefined where it holds control characters.
 */
function normaliseQuery(raw: string): string | undefined {
  let query = '';
  for (let index = 0; index < raw.length; index += 1) {
    const code = raw.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return undefined;
    const character = raw.charAt(index);
    const digits = character === '%' ? raw.slice(index + 1, index + 3) : '';
    if (hexPair.test(digits)) {
      const decoded = String.fromCharCode(Number.parseInt(digits, 16));
      query += unreserved.test(decoded) ? decoded : `%${digits.toUpperCase()}`;
      index += 2;
    } else {
      query += code < 0x80 && literalInQuery.test(character) ? character : percentEncode(code);
    }
  }
  return query;
}

function percentEncode(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

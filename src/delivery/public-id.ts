import { createHash } from 'node:crypto';
import type { AssetKey } from '../asset/key.ts';
import type { ResourceType } from '../asset/record.ts';
import { resourceTypeOfExtension } from '../cloudinary/format.ts';

/**
 * The public ID of an asset's copy: deterministic, readable, and injective, so that two origin objects never share
 * one (invariant 5). The rules, in `docs/public-ids.md` for users:
 *
 * - It starts with the mapping's folder, then the path's folders.
 * - Images and videos end with `_` and the file name extension instead of `.` and it (`a.jpg` → `a_jpg`, `a.png` →
 *   `a_png`), because Cloudinary reads an extension as a format request. A name without extension ends with `_`.
 * - Raw files keep their name and extension, as Cloudinary requires.
 * - What Cloudinary forbids, and our own mark `~`, is written `~` and two upper-case hex digits per byte.
 * - `~p` is a literal `+`, `~e` an empty path segment, `~q` begins the query where it is part of the key, `~h` stands
 *   before a SHA-256 that replaces an ID of more than 255 characters.
 */

/** Longest public ID, by the older and stricter reading of Cloudinary's limit (contract §2.6). */
export const maxPublicIdLength = 255;

const extensionPattern = /\.([A-Za-z0-9]{1,8})$/;

/** The resource type that a file name stands for; undefined when it tells nothing, and the store shall decide. */
export function resourceTypeOf(path: string): ResourceType | undefined {
  const extension = extensionPattern.exec(path)?.[1];
  return extension === undefined ? undefined : resourceTypeOfExtension(extension);
}

/** `folder` without slashes at its ends, empty for none; `raw` where the copy's resource type is raw. */
export function publicIdOf(folder: string, key: Pick<AssetKey, 'path' | 'query'>, raw: boolean): string {
  const segments = key.path.split('/');
  const name = segments.pop() ?? '';
  const extension = extensionPattern.exec(name)?.[1];
  const stem = extension === undefined ? name : name.slice(0, -extension.length - 1);
  const ending = endingOf(extension, raw);
  const last = `${escapeSegment(stem)}${escapeQuery(key.query)}${ending}`;
  const id = withFolder(folder, [...segments.map(escapeSegment), last].join('/'));
  if (id.length <= maxPublicIdLength) return id;
  return withFolder(folder, `~h${createHash('sha256').update(id).digest('hex')}${ending}`);
}

function endingOf(extension: string | undefined, raw: boolean): string {
  if (!raw) return `_${extension ?? ''}`;
  return extension === undefined ? '' : `.${extension}`;
}

/** `/` would make folders and `.` an extension of what is neither. */
function escapeQuery(query: string): string {
  return query === '' ? '' : `~q${escapeText(query).replaceAll('/', '~2F').replaceAll('.', '~2E')}`;
}

function withFolder(folder: string, id: string): string {
  return folder === '' ? id : `${folder}/${id}`;
}

/**
 * `segment` is normalised (`path.ts`). `+` and `;` stand apart there from their encoded forms, because servers may
 * read them differently; so they must here. Text that is not in composed form (NFC) is escaped byte by byte: the store
 * might compose it.
 */
function escapeSegment(segment: string): string {
  if (segment === '') return '~e';
  const readable = escapeParts(segment, escapeText);
  const escaped = readable === readable.normalize('NFC') ? readable : escapeParts(segment, escapeToAscii);
  // A segment such as `v12` would be read as a version.
  return /^v\d+$/.test(escaped) ? `~76${escaped.slice(1)}` : escaped.replace(/^\s|\s$/gu, escapeAll);
}

function escapeParts(segment: string, write: (text: string) => string): string {
  const parts = segment.split(/(\+|%2B|%3B)/);
  return parts
    .map((part) => {
      if (part === '+') return '~p';
      return part === '%2B' || part === '%3B' ? `~${part.slice(1)}` : escapeEncoded(part, write);
    })
    .join('');
}

/** Percent-encoded text: readable where it is UTF-8, else byte by byte. */
function escapeEncoded(encoded: string, write: (text: string) => string): string {
  try {
    return write(decodeURIComponent(encoded));
  } catch {
    const bytes = encoded.replace(/%([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
    return [...bytes].map((byte) => (byte > '~' ? escapeByte(byte.charCodeAt(0)) : escapeText(byte))).join('');
  }
}

/** What Cloudinary forbids, our own mark, and what breaks lines or cannot be seen. */
const forbidden = /[?&#\\%<>+~\p{Cc}\p{Zl}\p{Zp}]/u;

function escapeText(text: string): string {
  return escapeWhere(text, (character) => forbidden.test(character));
}

function escapeToAscii(text: string): string {
  return escapeWhere(text, (character) => character > '~' || forbidden.test(character));
}

function escapeAll(text: string): string {
  return escapeWhere(text, () => true);
}

function escapeWhere(text: string, isEscaped: (character: string) => boolean): string {
  let escaped = '';
  for (const character of text) {
    if (!isEscaped(character)) escaped += character;
    else for (const byte of Buffer.from(character, 'utf8')) escaped += escapeByte(byte);
  }
  return escaped;
}

function escapeByte(byte: number): string {
  return `~${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

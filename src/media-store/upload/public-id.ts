import { randomInt } from 'node:crypto';
import type { ResourceType } from '../../asset/record.ts';
import { StoreError } from '../store-error.ts';

/**
 * Refuses a public ID that could not be delivered (contract §2.6).
 *
 * @throws {StoreError} 400
 */
export function requireValidPublicId(publicId: string): void {
  const problem = problemOf(publicId);
  if (problem !== undefined) throw new StoreError(400, `public_id (${publicId}) is invalid: ${problem}`);
}

function problemOf(publicId: string): string | undefined {
  if (publicId === '') return 'it is empty';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here.
  if (/[?&#\\%<>\u0000-\u001f\u007f]/.test(publicId)) return 'it may not hold ? & # \\ % < > or control characters';
  if (/^[\s/]|[\s/]$/.test(publicId)) return 'it may not begin or end with a space or a slash';
  if (publicId.includes('//')) return 'it may not hold an empty part';
  if (!publicId.isWellFormed()) return 'it is no valid text';
  const parts = publicId.split('/');
  if (parts.some((part) => part.length > 255)) return 'a part of it is longer than 255 characters';
  if (publicId.length > 1024) return 'it is longer than 1024 characters';
  if (parts.slice(0, -1).some((part) => /^v\d+$/.test(part))) return 'a part such as v12 reads as a version';
  if (parts.some((part) => part === '.' || part === '..')) return 'a part may not be . or ..';
  return undefined;
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function randomPublicId(length = 20): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}

/** A file's name without its directories and its extension, and the extension (lower case, without dot). */
export function splitFilename(filename: string): { readonly name: string; readonly extension: string } {
  const base = filename.split(/[/\\]/).at(-1) ?? '';
  const match = /^(.+)\.([A-Za-z0-9]{1,16})$/s.exec(base);
  return { name: match?.[1] ?? base, extension: match?.[2]?.toLowerCase() ?? '' };
}

export interface Naming {
  readonly publicId?: string;
  readonly publicIdPrefix?: string;
  readonly folder?: string;
  readonly useFilename: boolean;
  readonly uniqueFilename: boolean;
  readonly filename?: string;
  readonly resourceType: ResourceType;
}

/** The public ID that an upload gets (contract §2.5: public_id, folder, use_filename, unique_filename). */
export function choosePublicId(naming: Naming): string {
  const { name, extension } = splitFilename(naming.filename ?? '');
  const prefixes = [naming.folder, naming.publicIdPrefix].filter((part) => part !== undefined && part !== '');
  return [...prefixes.map((part) => part?.replace(/^\/+|(?<!\/)\/+$/g, '')), naming.publicId ?? generatedName()].join(
    '/',
  );

  function generatedName(): string {
    // The extension belongs to a raw asset's public ID.
    const suffix = naming.resourceType === 'raw' && extension !== '' ? `.${extension}` : '';
    const cleaned = cleanName(name);
    if (!naming.useFilename || cleaned === '') return `${randomPublicId()}${suffix}`;
    return naming.uniqueFilename ? `${cleaned}_${randomPublicId(6)}${suffix}` : `${cleaned}${suffix}`;
  }
}

/** Characters a public ID cannot hold go at the ends and become `_` inside. */
function cleanName(name: string): string {
  return (
    name
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced here.
      .replace(/[?&#\\%<>+\s\u0000-\u001f\u007f]+/g, '_')
      .replace(/^[_./]+|(?<![_./])[_./]+$/g, '')
      .slice(0, 200)
  );
}

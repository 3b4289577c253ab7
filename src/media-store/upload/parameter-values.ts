import { StoreError } from '../store-error.ts';
import type { Fields } from './intake/submission.ts';

/** Reads single parameters out of what was sent. A blank one counts as absent, as the SDKs have it. */

export function textOf(fields: Fields, name: string): string | undefined {
  const field = fields.get(name);
  const text = typeof field === 'object' ? field.join(',') : field;
  return text === undefined || text === '' ? undefined : text;
}

export function requireText(fields: Fields, name: string): string {
  const text = textOf(fields, name);
  if (text === undefined) throw new StoreError(400, `Missing required parameter - ${name}`);
  return text;
}

export function flagOf(fields: Fields, name: string, absent = false): boolean {
  const text = textOf(fields, name)?.toLowerCase();
  if (text === undefined) return absent;
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new StoreError(400, `Invalid value for parameter - ${name}: true or false is expected`);
}

/** A comma list, or a repeated `name[]`; trimmed, without blanks and doubles. */
export function listOf(fields: Fields, name: string): readonly string[] {
  const field = fields.get(name) ?? [];
  const items = (typeof field === 'string' ? [field] : field).flatMap((item) => item.split(','));
  return [...new Set(items.map((item) => item.trim()).filter((item) => item !== ''))];
}

/** A repeated `name[]` (or a single value) as it is: public IDs may hold commas. */
export function idsOf(fields: Fields, name: string): readonly string[] {
  const field = fields.get(name) ?? [];
  return (typeof field === 'string' ? [field] : field).filter((item) => item !== '');
}

/**
 * `key=value|key=value`; a backslash takes the meaning from `=`, `|` and itself (contract §2.5, context).
 *
 * @throws {StoreError} 400
 */
export function pairsOf(fields: Fields, name: string): Record<string, string> {
  const text = textOf(fields, name);
  if (text === undefined) return {};
  const pairs = splitUnescaped(text, '|').map((pair) => splitUnescaped(pair, '='));
  if (pairs.length > 1000) throw new StoreError(400, `Invalid value for parameter - ${name}: more than 1000 pairs`);
  return Object.fromEntries(
    pairs.map(([key = '', ...value]) => {
      if (key.trim() === '' || value.length === 0) {
        throw new StoreError(400, `Invalid value for parameter - ${name}: key=value|key=value is expected`);
      }
      return [unescaped(key.trim()), unescaped(value.join('='))];
    }),
  );
}

function splitUnescaped(text: string, separator: '|' | '='): string[] {
  const parts = [''];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === separator) parts.push('');
    else if (character === '\\' && at + 1 < text.length) parts[parts.length - 1] += character + text[++at];
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function unescaped(text: string): string {
  return text.replace(/\\([\\|=])/g, '$1');
}

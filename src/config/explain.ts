import type { z } from 'zod';
import { descriptionAt, knownKeys, memberOf, placeOfKey } from './known-keys.ts';
import { nearest } from './nearest.ts';
import { type ConfigPath, formatPath } from './problem.ts';
import { isSecret, mayHoldCredentials, secretsInUrl } from './secrets.ts';

export interface Finding {
  readonly path: ConfigPath;
  readonly message: string;
  readonly mend?: string | undefined;
}

export interface Explained {
  readonly schema: z.ZodType;
  /** What was checked. */
  readonly value: unknown;
  /** Texts of the file that came from the environment, by path: quoted as they are written, never expanded. */
  readonly originals: ReadonlyMap<string, string>;
}

/** Says what the schema found, in the words of the file. */
export function explain(issue: z.core.$ZodIssue, checked: Explained): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const value = path.reduce<unknown>(memberOf, checked.value);
  const written = quote(path, value, checked.originals);

  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], checked));
    case 'invalid_value':
      return [oneOf(path, value, written, issue.values.map(String), checked)];
    case 'invalid_union':
      return explainUnion(issue, path, value, written, checked);
    case 'invalid_type':
      return [wrongType(path, value, written, issue.expected, checked)];
    case 'too_small':
      return [{ path, ...tooSmall(issue, written) }];
    case 'too_big':
      return [{ path, message: `${written} is too large`, mend: `write ${issue.maximum} or less` }];
    case 'custom':
      return [{ path, message: `${written} ${issue.message}`, mend: issue.params?.mend }];
    default:
      return [{ path, message: `${written} is not allowed here (${issue.message})` }];
  }
}

function unknownKey(path: ConfigPath, { schema, value }: Explained): Finding {
  const parent = path.slice(0, -1);
  const key = String(path.at(-1));
  const known = knownKeys(schema, value, parent);
  const meant = nearest(key, known);
  if (meant !== undefined) return { path, message: 'unknown key', mend: `did you mean ${meant}?` };
  const place = placeOfKey(schema, value, parent, key);
  if (place !== undefined) return { path, message: 'unknown key here', mend: `did you mean ${place}?` };
  return { path, message: 'unknown key', mend: `known here: ${known.join(', ')}` };
}

function oneOf(
  path: ConfigPath,
  value: unknown,
  written: string,
  allowed: readonly string[],
  checked: Explained,
): Finding {
  if (value === undefined) return missing(path, checked);
  // A text from the environment is not compared: the nearest word would give part of it away.
  const meant = typeof value === 'string' && written === JSON.stringify(value) ? nearest(value, allowed) : undefined;
  return {
    path,
    message: `${written} is not one of ${allowed.join(', ')}`,
    mend: meant === undefined ? `write one of them` : `did you mean ${meant}?`,
  };
}

function explainUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: ConfigPath,
  value: unknown,
  written: string,
  checked: Explained,
): Finding[] {
  if (issue.errors.length === 0) {
    const { options } = issue as { options?: readonly unknown[] };
    return [oneOf(path, value, written, (options ?? []).map(String), checked)];
  }
  // The alternative that was meant is the one whose type fits: only its content is wrong.
  const meant = issue.errors.find(([first]) => first !== undefined && !isOtherType(first, value));
  if (meant !== undefined) {
    return meant.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] } as z.core.$ZodIssue, checked));
  }
  if (value === undefined) return [missing(path, checked)];
  const expected = issue.errors.flatMap(([first]) => {
    if (first?.code === 'invalid_value') return [`one of ${first.values.join(', ')}`];
    return first?.code === 'invalid_type' ? [typeNames[first.expected] ?? first.expected] : [];
  });
  return [{ path, message: `${written} is not ${expected.join(' or ')}` }];
}

function isOtherType(issue: z.core.$ZodIssue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  return issue.code === 'invalid_type' || (issue.code === 'invalid_value' && typeof value !== 'string');
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys',
  record: 'a mapping of keys',
};

function wrongType(path: ConfigPath, value: unknown, written: string, expected: string, checked: Explained): Finding {
  if (value === undefined) return missing(path, checked);
  if (value === null) return { path, message: 'is empty', mend: 'give it a value, or remove the line' };
  const message = `${written} is not ${typeNames[expected] ?? expected}`;
  if (expected === 'string' && typeof value !== 'object') return { path, message, mend: 'put it in quotes' };
  if (expected === 'array') return { path, message, mend: 'begin each item with a dash, or write [one, two]' };
  return { path, message };
}

function missing(path: ConfigPath, { schema, value }: Explained): Finding {
  return { path, message: 'is missing', mend: descriptionAt(schema, value, path) };
}

function tooSmall(issue: z.core.$ZodIssueTooSmall, written: string): { message: string; mend: string } {
  if (issue.origin === 'array') return { message: 'the list is empty', mend: 'name one at least' };
  if (issue.origin === 'string') return { message: 'is too short', mend: `write ${issue.minimum} characters or more` };
  return { message: `${written} is too small`, mend: `write ${issue.minimum} or more` };
}

/** The value as it may be shown: secrets and values of the environment are not. */
function quote(path: ConfigPath, value: unknown, originals: ReadonlyMap<string, string>): string {
  // `auth: hunter2` is a secret at the wrong place.
  if (isSecret(path) || mayHoldCredentials(path) || path.at(-1) === 'auth') return 'the value';
  if (typeof value === 'string' && secretsInUrl(value).length > 0) return 'the value';
  const original = originals.get(formatPath(path));
  if (original !== undefined) return shorten(JSON.stringify(original));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping of keys';
  if (value === undefined) return 'the value';
  return typeof value === 'string' ? shorten(JSON.stringify(value)) : String(value);
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

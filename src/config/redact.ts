import type { ConfigPath } from './problem.ts';
import type { ResolvedConfig } from './resolved.ts';
import { isSecret, secretsInUrl } from './secrets.ts';

const mark = '[redacted]';

/**
 * Every secret of the configuration, in each form in which it travels: as it is, percent-encoded, decoded, escaped
 * as JSON, and as Basic credentials. Longest first.
 */
export function secretsOf(config: ResolvedConfig): string[] {
  const found = new Set<string>();
  visitTexts(config, [], (text, path) => {
    if (isSecret(path)) addForms(found, text);
    // `Authorization: Token abc`: the scheme is no secret, and the rest may be shown without it.
    if (isSecret(path) && path.at(-1) === 'value') addForms(found, text.slice(text.indexOf(' ') + 1));
    for (const secret of secretsInUrl(text)) addForms(found, secret);
    const userInfo = /:\/\/([^/?#]*:[^/?#]*)@/.exec(text)?.[1];
    if (userInfo !== undefined) found.add(basic(decode(userInfo)));
  });
  for (const { auth } of config.mappings) {
    if (auth?.kind === 'basic') found.add(basic(`${auth.username}:${auth.password}`));
  }
  found.delete('');
  return [...found].sort(longestFirst);
}

function longestFirst(one: string, other: string): number {
  return other.length - one.length;
}

/**
 * Takes the secrets of the configurations, and credentials in any URL, out of a text that is to be shown or logged.
 * Several: a reload leaves some secrets of the configuration before in use.
 */
export function createRedactor(...configs: readonly ResolvedConfig[]): (text: string) => string {
  const secrets = [...new Set(configs.flatMap(secretsOf))].sort(longestFirst);
  const planted = secrets.length === 0 ? undefined : new RegExp(secrets.map(escapePattern).join('|'), 'g');
  return (text) => {
    const withoutPlanted = planted === undefined ? text : text.replaceAll(planted, mark);
    return withoutPlanted.replaceAll(/:\/\/([^\s/?#"']*)@/g, (_, userInfo: string) => {
      const colon = userInfo.indexOf(':');
      return `://${colon < 0 ? mark : `${userInfo.slice(0, colon)}:${mark}`}@`;
    });
  };
}

/** The configuration as it may be shown. */
export function redactConfig(config: ResolvedConfig): unknown {
  const redact = createRedactor(config);
  const copy = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string') return isSecret(path) ? mark : redact(value);
    if (Array.isArray(value)) return value.map((item, index) => copy(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copy(member, [...path, key])]));
  };
  return copy(config, []);
}

function visitTexts(value: unknown, path: ConfigPath, visit: (text: string, path: ConfigPath) => void): void {
  if (typeof value === 'string') visit(value, path);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) visitTexts(member, [...path, key], visit);
}

function addForms(found: Set<string>, secret: string): void {
  for (const form of [secret, decode(secret)]) {
    found.add(form);
    found.add(encodeURIComponent(form.toWellFormed()));
    found.add(JSON.stringify(form).slice(1, -1));
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function basic(credentials: string): string {
  return Buffer.from(credentials).toString('base64');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

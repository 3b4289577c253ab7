import { readFileSync } from 'node:fs';
import type { ConfigPath } from './problem.ts';
import type { Refusal } from './values.ts';

/** Looks a variable up: `NAME`, or the content of the file that `NAME_FILE` names (Docker and Kubernetes secrets). */
export type Variables = (name: string) => { readonly value?: string; readonly refusal?: Refusal };

export function variablesOf(environment: NodeJS.ProcessEnv): Variables {
  return (name) => {
    const value = environment[name];
    const file = environment[`${name}_FILE`];
    if (file === undefined || file === '') return value === undefined ? {} : { value };
    if (value !== undefined && value !== '') {
      return { refusal: { message: `both ${name} and ${name}_FILE are set`, mend: 'unset one of the two' } };
    }
    try {
      // Editors and `echo` end a file with a newline that is no part of the secret.
      return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      const mend = 'name a readable file that holds nothing but the value';
      return { refusal: { message: `the file ${file}, named by ${name}_FILE, cannot be read (${code})`, mend } };
    }
  };
}

/** `$${` | `${NAME}` or `${NAME:-default}` | `${` that is neither */
const references = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{/g;

/** What is left of a text without its references: whatever somebody typed into the file. */
export function literalPart(text: string): string {
  return text.replaceAll(references, (whole, name: string | undefined, fallback: string | undefined) =>
    name === undefined ? whole : (fallback ?? ''),
  );
}

/** Whether the text takes anything from the environment. */
export function hasReference(text: string): boolean {
  return [...text.matchAll(references)].some((match) => match[1] !== undefined);
}

export interface Substituted {
  readonly value: unknown;
  /** The text in the file, by the value's path, for each value that holds a reference. */
  readonly originals: ReadonlyMap<string, string>;
  readonly refusals: readonly { readonly path: ConfigPath; readonly refusal: Refusal }[];
}

/**
 * Puts the environment into every text of a tree. `${NAME:-}` alone that comes out empty leaves its key out, so that
 * the default stands.
 */
export function substitute(tree: unknown, variables: Variables, keyOf: (path: ConfigPath) => string): Substituted {
  const originals = new Map<string, string>();
  const refusals: { path: ConfigPath; refusal: Refusal }[] = [];

  const expand = (text: string, path: ConfigPath): string | undefined => {
    if (!text.includes('${')) return text;
    if (hasReference(text)) originals.set(keyOf(path), text);
    const expanded = text.replaceAll(references, (whole, name: string | undefined, fallback: string | undefined) => {
      if (whole === '$${') return '${';
      const { value, refusal } = name === undefined ? { refusal: malformed } : variables(name);
      if (refusal !== undefined) refusals.push({ path, refusal });
      else if (value === undefined && fallback === undefined) refusals.push({ path, refusal: missing(name ?? '') });
      return (fallback === undefined ? value : value || fallback) ?? '';
    });
    return expanded === '' && /^\$\{\w+:-\}$/.test(text) ? undefined : expanded;
  };

  const visit = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string') return expand(value, path);
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]) ?? '');
    if (typeof value !== 'object' || value === null) return value;
    const members: Record<string, unknown> = Object.create(null);
    for (const [key, member] of Object.entries(value)) {
      const visited = visit(member, [...path, key]);
      if (visited !== undefined) members[key] = visited;
    }
    return members;
  };

  return { value: visit(tree, []), originals, refusals };
}

const malformed: Refusal = {
  message: 'holds a ${ that begins no variable',
  mend: 'write ${NAME} or ${NAME:-default}, or $${ for the two characters',
};

const missing = (name: string): Refusal => ({
  message: `the variable ${name} is not set`,
  mend: `set ${name} or ${name}_FILE, or write \${${name}:-default}`,
});

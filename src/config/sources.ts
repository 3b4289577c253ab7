import { readFileSync } from 'node:fs';
import { parseCommandLineMappings, sourceOf } from './command-line-mapping.ts';
import { type ConfigDocument, parseConfigDocument } from './document.ts';
import { substitute, type Variables } from './environment.ts';
import { memberOf } from './known-keys.ts';
import { ConfigError, type ConfigPath, type ConfigProblem, formatPath } from './problem.ts';
import type { ConfigInput } from './schema.ts';
import { literalSecrets } from './secrets.ts';

type Tree = Readonly<Record<string, unknown>>;
type Place = Pick<ConfigProblem, 'file' | 'line' | 'column' | 'key'>;

/** Everything that was said, from every source, as one tree that nobody has checked yet. */
export interface GatheredConfig {
  readonly value: Tree;
  /** Texts of the file that hold a reference to the environment, by path. */
  readonly originals: ReadonlyMap<string, string>;
  /** Literal secrets and missing variables, with their paths. */
  readonly findings: readonly { readonly path: ConfigPath; readonly message: string; readonly mend: string }[];
  /** Options that name the variable they default to, while it is not set. */
  readonly unset: readonly { readonly path: ConfigPath; readonly message: string }[];
  /** Where the value at the path was said. */
  place(path: ConfigPath): Place;
}

/** Options that a variable gives where the file says nothing. Names that ecosystems know keep their meaning. */
export const optionVariables = [
  { path: ['listen', 'delivery'], name: 'LAZYFERRY_LISTEN' },
  { path: ['listen', 'admin'], name: 'LAZYFERRY_ADMIN_LISTEN' },
  { path: ['store', 'url'], name: 'CLOUDINARY_URL' },
  { path: ['ledger', 'url'], name: 'REDIS_URL' },
  { path: ['admin', 'token'], name: 'LAZYFERRY_ADMIN_TOKEN' },
  { path: ['admin', 'readToken'], name: 'LAZYFERRY_ADMIN_READ_TOKEN' },
] as const;

/**
 * File, then `--map`, then variables, then defaults of the command: the first to name an option wins.
 *
 * @throws {ConfigError} when the file cannot be read or is no YAML, or a `--map` is no mapping
 */
export function gatherConfig(
  file: string | undefined,
  maps: readonly string[],
  variables: Variables,
  defaults: Partial<ConfigInput>,
): GatheredConfig {
  const document = file === undefined ? undefined : parseConfigDocument(file, readSource(file));
  const { value: written, unset } = withoutUnsetDefaults(document?.value ?? {}, variables);
  const { value: substituted, originals, refusals } = substitute(written, variables, formatPath);
  const findings = [...literalSecrets(written), ...refusals].map(({ path, refusal }) => ({ path, ...refusal }));

  const { value: withMaps, firstMap } = appendMappings(substituted as Tree, maps);
  const places = new Map<string, string>();
  const fromVariables: Record<string, Record<string, string>> = {};
  for (const { path, name } of optionVariables) {
    const [section, option] = path;
    if (memberOf(memberOf(withMaps, section), option) !== undefined) continue;
    const { value, refusal } = variables(name);
    if (refusal !== undefined) findings.push({ path, ...refusal });
    if (value === undefined || value === '') continue;
    places.set(formatPath(path), name);
    fromVariables[section] = { ...fromVariables[section], [option]: value };
  }

  return {
    value: fillIn(fillIn(withMaps, fromVariables), defaults as Tree),
    originals,
    findings,
    unset,
    place(path) {
      const key = formatPath(path);
      const variable = places.get(key);
      if (variable !== undefined) return { file: 'environment', key: variable };
      const map = path[0] === 'mappings' && typeof path[1] === 'number' ? maps[path[1] - firstMap] : undefined;
      if (map !== undefined) return { file: sourceOf(map), key: formatPath(path.slice(2)) };
      return placeIn(document, path, key);
    },
  };
}

function placeIn(document: ConfigDocument | undefined, path: ConfigPath, key: string): Place {
  return document === undefined ? { file: 'lazyferry', key } : { file: document.file, ...document.locate(path), key };
}

function readSource(file: string): string {
  const refuse = (message: string, mend: string) => new ConfigError([{ file, key: '', message, mend }]);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw refuse(`cannot be read (${code})`, 'name a readable YAML file with --config or LAZYFERRY_CONFIG');
  }
  if (bytes.length > largestFile) throw refuse('is larger than 1 MB', 'this is not a configuration file');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('is not UTF-8 text', 'save it as UTF-8');
  }
}

const largestFile = 1_000_000;

/**
 * `store: { url: ${CLOUDINARY_URL} }` says what holds anyhow, so an unset variable means there what it means without
 * the line: the default. The same for `ledger: { url: ${REDIS_URL} }` and the others.
 */
function withoutUnsetDefaults(tree: Tree, variables: Variables): Pick<GatheredConfig, 'value' | 'unset'> {
  const result = copy(tree);
  const unset: { path: ConfigPath; message: string }[] = [];
  for (const { path, name } of optionVariables) {
    const [section, option] = path;
    const current = result[section];
    if (!isTree(current) || current[option] !== `\${${name}}`) continue;
    const { value, refusal } = variables(name);
    if (value !== undefined || refusal !== undefined) continue;
    const others = copy(current);
    delete others[option];
    result[section] = others;
    unset.push({ path: [section], message: `${name} is not set: the default of ${option} is used` });
  }
  return { value: result, unset };
}

function copy(tree: Tree): Record<string, unknown> {
  return Object.assign(Object.create(null), tree);
}

function appendMappings(tree: Tree, maps: readonly string[]): { readonly value: Tree; readonly firstMap: number } {
  const written = tree.mappings ?? [];
  // Something else than a list is the schema's to refuse.
  if (maps.length === 0 || !Array.isArray(written)) return { value: tree, firstMap: Number.POSITIVE_INFINITY };
  return { value: { ...tree, mappings: [...written, ...parseCommandLineMappings(maps)] }, firstMap: written.length };
}

/** Sections are filled in key by key; a list is taken whole. */
function fillIn(tree: Tree, defaults: Tree): Tree {
  const filled = copy(tree);
  for (const [key, fallback] of Object.entries(defaults)) {
    const value = filled[key];
    if (value === undefined) filled[key] = fallback;
    else if (isTree(value) && isTree(fallback)) filled[key] = fillIn(value, fallback);
  }
  return filled;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

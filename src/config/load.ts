import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type CrossFinding, checkListeners, checkMappings, withFolder } from './cross-checks.ts';
import { variablesOf } from './environment.ts';
import { explain } from './explain.ts';
import { memberOf } from './known-keys.ts';
import { mappingSchema } from './mapping.ts';
import { ConfigError, type ConfigPath, type ConfigProblem, formatPath } from './problem.ts';
import { type ResolvedConfig, resolveConfig } from './resolved.ts';
import { type ConfigInput, configSchema } from './schema.ts';
import { type GatheredConfig, gatherConfig } from './sources.ts';
import { doubtsAbout } from './warnings.ts';

export interface LoadOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** `--config`; else `LAZYFERRY_CONFIG`; else no file at all. */
  readonly file?: string | undefined;
  /** Each `--map PREFIX=URL`: added to the mappings of the file. */
  readonly maps?: readonly string[];
  /** Else `LAZYFERRY_DATA`, else `./data`. */
  readonly dataDirectory?: string | undefined;
  /** What a command wants where neither file nor environment says otherwise. */
  readonly defaults?: Partial<ConfigInput>;
}

export interface LoadedConfig {
  readonly config: ResolvedConfig;
  /** The file it came from; undefined when there was none. */
  readonly file: string | undefined;
  /** Legal, but doubtful. */
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Reads the configuration from file, `--map` and environment, and checks all of it.
 *
 * @throws {ConfigError} with every problem; nothing else
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { environment } = options;
  const file = options.file ?? (environment.LAZYFERRY_CONFIG || undefined);
  const gathered = gatherConfig(file, options.maps ?? [], variablesOf(environment), options.defaults ?? {});
  const { value, result } = checkBySchema(gathered);

  const findings = [
    ...gathered.findings,
    ...(result.error?.issues ?? []).flatMap((issue) => {
      return explain(issue, { schema: configSchema, value, originals: gathered.originals });
    }),
    ...crossCheck(value),
  ];
  if (findings.length > 0 || result.data === undefined) throw new ConfigError(toProblems(findings, gathered));

  const dataDirectory = resolve(options.dataDirectory ?? (environment.LAZYFERRY_DATA || 'data'));
  const config = resolveConfig(result.data, result.data.mappings.map(withFolder), {
    dataDirectory,
    ledgerUrl: `sqlite:${join(dataDirectory, 'ledger.db')}`,
    storeDirectory: join(dataDirectory, 'store'),
  });
  return { config, file, warnings: toProblems([...gathered.unset, ...doubtsAbout(config)], gathered) };
}

/** Variables are text. Where the schema wants a number or true or false, it is asked again with the text read so. */
function checkBySchema({ value, originals }: GatheredConfig) {
  const first = configSchema.safeParse(value);
  const mistyped = (first.error?.issues ?? []).filter(({ code, path }) => {
    return mistypeCodes.has(code) && originals.has(formatPath(path as ConfigPath));
  });
  if (mistyped.length === 0) return { value, result: first };
  const retyped = mistyped.reduce((tree, { path }) => replaceAt(tree, path as ConfigPath, readPlain), value as unknown);
  return { value: retyped, result: configSchema.safeParse(retyped) };
}

const mistypeCodes = new Set(['invalid_type', 'invalid_value', 'invalid_union']);

function readPlain(text: unknown): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return typeof text === 'string' && /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

function replaceAt(tree: unknown, path: ConfigPath, change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(tree);
  if (Array.isArray(tree)) return tree.map((item, index) => (index === key ? replaceAt(item, rest, change) : item));
  return { ...(tree as object), [key]: replaceAt(memberOf(tree, key), rest, change) };
}

/** The parts that are right by themselves are checked against each other even when others are wrong. */
function crossCheck(value: unknown): CrossFinding[] {
  const mappings = z.array(z.unknown()).safeParse(memberOf(value, 'mappings')).data ?? [];
  const listen = memberOf(value, 'listen');
  const store = memberOf(value, 'store');
  const embeddedListen = embeddedOptions.listen.safeParse(memberOf(memberOf(store, 'embedded'), 'listen')).data;
  return [
    ...checkMappings(mappings.map((mapping) => mappingSchema.safeParse(mapping).data)),
    ...checkListeners({
      delivery: listenOptions.delivery.safeParse(memberOf(listen, 'delivery')).data,
      admin: listenOptions.admin.safeParse(memberOf(listen, 'admin')).data,
      embedded: memberOf(store, 'url') === undefined ? embeddedListen : undefined,
    }),
  ];
}

const listenOptions = configSchema.shape.listen.unwrap().shape;
const embeddedOptions = configSchema.shape.store.unwrap().shape.embedded.unwrap().shape;

/** In the order of the file; for each value only what was found first, because the rest follows from it. */
function toProblems(
  findings: readonly { readonly path: ConfigPath; readonly message: string; readonly mend?: string | undefined }[],
  gathered: GatheredConfig,
): ConfigProblem[] {
  const byKey = new Map<string, ConfigProblem>();
  for (const { path, message, mend } of findings) {
    const key = formatPath(path);
    if (byKey.has(key)) continue;
    byKey.set(key, { ...gathered.place(path), message, ...(mend === undefined ? {} : { mend }) });
  }
  return [...byKey.values()].sort(byPlace);
}

function byPlace(one: ConfigProblem, other: ConfigProblem): number {
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

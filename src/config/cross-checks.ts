import { folder as folderSchema } from './mapping.ts';
import type { ConfigPath } from './problem.ts';
import type { Config, Mapping } from './schema.ts';
import type { ListenAddress, Refusal } from './values.ts';

export interface CrossFinding extends Refusal {
  readonly path: ConfigPath;
}

type MappingWithoutFolder = Config['mappings'][number];

/** The folder of a mapping that names none: its prefix without the outer slashes. */
export function withFolder(mapping: MappingWithoutFolder): Mapping {
  return { ...mapping, folder: mapping.folder ?? mapping.prefix.slice(1, -1) };
}

/**
 * What no single value can tell. `mappings` has a hole where one is wrong by itself, so that the others are checked
 * in the same run.
 */
export function checkMappings(mappings: readonly (MappingWithoutFolder | undefined)[]): CrossFinding[] {
  const findings: CrossFinding[] = [];
  const seen: { mapping: Mapping; index: number }[] = [];
  for (const [index, written] of mappings.entries()) {
    if (written === undefined) continue;
    const mapping = withFolder(written);
    findings.push(...checkFolder(written, index), ...checkAuthentication(written, index));
    for (const earlier of seen) {
      const clash = clashOf(earlier.mapping, mapping);
      if (clash === undefined) continue;
      const other = `mappings[${earlier.index}] (${earlier.mapping.prefix})`;
      findings.push({ path: ['mappings', index, clash], ...clashes[clash](other, mapping) });
    }
    seen.push({ mapping, index });
  }
  return findings;
}

type Clash = 'prefix' | 'folder';

const clashes: Readonly<Record<Clash, (other: string, mapping: Mapping) => Refusal>> = {
  prefix: (other, { prefix }) => ({ message: `${prefix} is also the prefix of ${other}`, mend: 'keep one of the two' }),
  folder: (other, { folder }) => ({
    message: `two files could get one public ID: the folder ${JSON.stringify(folder)} overlaps that of ${other}`,
    mend: 'give this mapping a folder of its own, or one that goes on where the other folder ends just as its prefix does',
  }),
};

function clashOf(one: Mapping, other: Mapping): Clash | undefined {
  if (one.prefix === other.prefix) return 'prefix';
  const [outer, inner] = isWithin(one.folder, other.folder) ? [one, other] : [other, one];
  if (!isWithin(outer.folder, inner.folder)) return undefined;
  // `/images/` → `site` and `/images/large/` → `site/large`: the longest prefix wins, and no path has two IDs.
  const sameRemainder =
    inner.prefix.startsWith(outer.prefix) &&
    joined(outer.folder, inner.prefix.slice(outer.prefix.length, -1)) === inner.folder;
  return sameRemainder ? undefined : 'folder';
}

/** Whether public IDs in `inner` could also be made in `outer`. */
function isWithin(outer: string, inner: string): boolean {
  return outer === '' || outer === inner || inner.startsWith(`${outer}/`);
}

function joined(folder: string, remainder: string): string {
  return folder === '' ? remainder : `${folder}/${remainder}`;
}

function checkFolder(mapping: MappingWithoutFolder, index: number): CrossFinding[] {
  if (mapping.folder !== undefined || folderSchema.safeParse(withFolder(mapping).folder).success) return [];
  const message = `the prefix ${mapping.prefix} makes no folder`;
  return [{ path: ['mappings', index, 'folder'], message, mend: 'name a folder for it, such as site/images' }];
}

function checkAuthentication({ auth, origin }: MappingWithoutFolder, index: number): CrossFinding[] {
  if (auth === null || (auth.kind === 's3') === origin.startsWith('s3:')) return [];
  const path = ['mappings', index, 'auth', 'kind'];
  if (auth.kind === 's3') {
    return [{ path, message: 's3 keys sign requests to a bucket only', mend: 'write the origin as s3://bucket/path/' }];
  }
  return [{ path, message: `a bucket knows no ${auth.kind} credentials`, mend: 'write kind: s3 with its keys' }];
}

export interface ListenAddresses {
  readonly delivery: ListenAddress | undefined;
  readonly admin: ListenAddress | undefined;
  /** Undefined where an account is configured: then no embedded store runs. */
  readonly embedded: ListenAddress | undefined;
}

/** Listeners that would take each other's port. */
export function checkListeners(addresses: ListenAddresses): CrossFinding[] {
  const listeners = [
    { path: ['listen', 'delivery'], address: addresses.delivery },
    { path: ['listen', 'admin'], address: addresses.admin },
    { path: ['store', 'embedded', 'listen'], address: addresses.embedded },
  ];
  return listeners.flatMap(({ path, address }, index) => {
    const other = listeners.slice(0, index).find((earlier) => collide(earlier.address, address));
    if (other === undefined) return [];
    const message = `takes the same address as ${other.path.join('.')}`;
    return [{ path, message, mend: 'give each listener a port of its own' }];
  });
}

function collide(one: ListenAddress | undefined, other: ListenAddress | undefined): boolean {
  if (one === undefined || other === undefined || one.port === 0 || one.port !== other.port) return false;
  const hosts = [one.host, other.host].map((host) => (host === 'localhost' ? '127.0.0.1' : host));
  return hosts[0] === hosts[1] || hosts.includes('0.0.0.0') || hosts.includes('::');
}

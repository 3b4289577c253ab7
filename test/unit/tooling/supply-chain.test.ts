import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../../..');

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
}

const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const installed = Object.entries(packages).filter(([path]) => path !== '');
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** The first version without the flaws that are known; each advisory is one that a proxy would feel. */
const floors: readonly (readonly [name: string, version: string, because: string])[] = [
  ['undici', '7.24.0', 'CVE-2026-1525 duplicate Content-Length, CVE-2026-22036 decompression chains'],
  ['express', '5.0.0', 'CVE-2024-29041 open redirect, CVE-2024-43796 redirect body'],
  ['send', '0.19.0', 'CVE-2024-43799 template injection'],
  ['path-to-regexp', '8.4.0', 'CVE-2026-4926, CVE-2024-45296 and CVE-2024-52798 backtracking'],
  ['body-parser', '2.0.0', 'CVE-2024-45590 denial of service'],
  ['http-proxy', '0.5.6', 'an alias of httpxy'],
  ['sharp', '0.32.6', 'CVE-2023-4863 libwebp'],
  ['cookie', '0.7.0', 'CVE-2024-47764 out of bounds characters'],
  ['yaml', '2.2.2', 'CVE-2023-2251 uncaught exception'],
  ['ws', '8.17.1', 'CVE-2024-37890 headers'],
];

/** Compares `1.2.3` with `1.10.0`; what follows a hyphen is older. */
function isAtLeast(version: string, floor: string): boolean {
  const parts = (text: string) => text.split('-', 1)[0]?.split('.').map(Number) ?? [];
  const [have, want] = [parts(version), parts(floor)];
  const different = want.findIndex((part, index) => part !== have[index]);
  return different === -1 ? !version.includes('-') : (have[different] ?? 0) > (want[different] ?? 0);
}

test('versions are compared by number, so that the floors hold', () => {
  expect(isAtLeast('7.24.0', '7.24.0')).toBe(true);
  expect(isAtLeast('8.0.0', '7.24.0')).toBe(true);
  expect(isAtLeast('7.9.0', '7.24.0')).toBe(false);
  expect(isAtLeast('7.24.0-rc.1', '7.24.0')).toBe(false);
});

test.each(floors)('%s is nowhere older than %s: %s', (name, floor) => {
  const versions = installed
    .filter(([path, { dev }]) => nameOf(path) === name && dev !== true)
    .map(([, { version = '' }]) => version);
  for (const version of versions) expect(isAtLeast(version, floor), version).toBe(true);
});

test('the floors speak of what is really installed', () => {
  const names = new Set(installed.map(([path]) => nameOf(path)));
  expect(floors.filter(([name]) => names.has(name)).length).toBeGreaterThanOrEqual(8);
});

test('no production dependency needs an install script, and every package has an integrity', () => {
  const production = installed.filter(([, { dev }]) => dev !== true);
  expect(production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
  expect(installed.filter(([, { integrity, link }]) => integrity === undefined && !link).map(([path]) => path)).toEqual(
    [],
  );
  expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
});

test('npm run sbom lists every production dependency with its version', () => {
  const output = execFileSync('npm', ['run', '--silent', 'sbom'], {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const sbom = JSON.parse(output) as { bomFormat: string; components: { name: string; version: string }[] };
  expect(sbom.bomFormat).toBe('CycloneDX');
  const listed = new Set(sbom.components.map(({ name, version }) => `${name}@${version}`));
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const [name, range] of Object.entries(dependencies)) {
    const real = /^npm:(.+)@/.exec(range)?.[1] ?? name;
    const version = packages[`node_modules/${name}`]?.version;
    expect(listed.has(`${real}@${version}`) || listed.has(`${name}@${version}`), name).toBe(true);
  }
});

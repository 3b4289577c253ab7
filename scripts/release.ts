/**
 * `npm run release [-- --to DIRECTORY] [--without-audit]`: what goes out with a version. The package, its bill of
 * materials (CycloneDX) and the SHA-256 of both, in `data/release` unless told. A known flaw in a production dependency
 * ends it; `--without-audit` is for registries that answer no audit.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const repository = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    to: { type: 'string', default: join(repository, 'data/release') },
    'without-audit': { type: 'boolean', default: false },
  },
});
const { name, version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
};

/** Runs npm in the repository and returns what it prints; what it complains of is shown. Throws when it fails. */
function npm(...args: readonly string[]): string {
  return execFileSync('npm', args, {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

try {
  if (!values['without-audit']) npm('audit', '--omit=dev');
  npm('run', 'build');
  mkdirSync(values.to, { recursive: true });
  npm('pack', '--pack-destination', values.to);
  const files = [`${name}-${version}.tgz`, `${name}-${version}.cdx.json`] as const;
  writeFileSync(join(values.to, files[1]), npm('run', '--silent', 'sbom'));
  const sums = files.map((file) => {
    const sum = createHash('sha256').update(readFileSync(join(values.to, file)));
    return `${sum.digest('hex')}  ${file}\n`;
  });
  writeFileSync(join(values.to, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(`${[...files, 'SHA256SUMS'].map((file) => join(values.to, file)).join('\n')}\n`);
} catch (error) {
  const stdout = (error as { readonly stdout?: unknown }).stdout;
  process.stderr.write(`${typeof stdout === 'string' ? stdout : ''}${(error as Error).message}\n`);
  process.exitCode = 1;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory, writeConfig } from '../../support/config-file.ts';

const script = fileURLToPath(new URL('config-process.ts', import.meta.url));
const configOf = (...prefixes: readonly string[]) =>
  `mappings:\n${prefixes.map((prefix) => `  - { prefix: ${prefix}, origin: "https://www.example.com/" }\n`).join('')}`;

/** By one write, so that nobody can read half of it; at least as long as what was there. */
function writeInPlace(file: string, source: string): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, source);
  closeSync(descriptor);
}

function replace(file: string, source: string): void {
  writeFileSync(`${file}.new`, source);
  renameSync(`${file}.new`, file);
}

class Watcher {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, environment: NodeJS.ProcessEnv) {
    const env = { ...process.env, ...environment, LAZYFERRY_CONFIG: file };
    this.child = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.child.stdout === null) throw new Error('the child has no standard output');
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async nextWhere(fits: (event: object) => boolean): Promise<object> {
    const event = await this.next();
    return fits(event) ? event : this.nextWhere(fits);
  }

  async next(): Promise<object> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the process has ended');
    return JSON.parse(value);
  }
}

async function watching(file: string, environment: NodeJS.ProcessEnv = {}): Promise<Watcher> {
  const watcher = new Watcher(file, environment);
  onTestFinished(() => void watcher.child.kill('SIGKILL'));
  expect(await watcher.nextWhere((event) => !('read' in event))).toEqual({ watching: ['/a/'] });
  return watcher;
}

describe('a running process', () => {
  it('takes up a file that was written in place', async () => {
    const file = writeConfig(configOf('/a/'));
    const watcher = await watching(file);
    writeInPlace(file, configOf('/a/', '/b/'));
    expect(await watcher.next()).toEqual({ changed: ['/a/', '/b/'] });
  });

  it('takes up a file that was replaced by a rename, again and again', async () => {
    const file = writeConfig(configOf('/a/'));
    const watcher = await watching(file);
    for (const prefix of ['/b/', '/c/', '/d/']) {
      replace(file, configOf(prefix));
      expect(await watcher.next()).toEqual({ changed: [prefix] });
    }
    writeInPlace(file, configOf('/e/'));
    expect(await watcher.next()).toEqual({ changed: ['/e/'] });
  });

  it('takes up a ConfigMap that Kubernetes swapped by its ..data link', async () => {
    const directory = temporaryDirectory();
    const swapTo = (version: string, source: string) => {
      mkdirSync(join(directory, version));
      writeFileSync(join(directory, version, 'lazyferry.yaml'), source);
      symlinkSync(version, join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    };
    swapTo('..2026_1', configOf('/a/'));
    symlinkSync(join('..data', 'lazyferry.yaml'), join(directory, 'lazyferry.yaml'));
    const watcher = await watching(join(directory, 'lazyferry.yaml'));
    swapTo('..2026_2', configOf('/b/'));
    expect(await watcher.next()).toEqual({ changed: ['/b/'] });
    swapTo('..2026_3', configOf('/c/'));
    expect(await watcher.next()).toEqual({ changed: ['/c/'] });
  });

  it('takes up a file that a link in another directory leads to', async () => {
    const real = writeConfig(configOf('/a/'));
    const link = join(temporaryDirectory(), 'link.yaml');
    symlinkSync(real, link);
    const watcher = await watching(link);
    replace(real, configOf('/b/'));
    expect(await watcher.next()).toEqual({ changed: ['/b/'] });
  });

  it('finds the file again when its directory was removed and made anew', async () => {
    const directory = join(temporaryDirectory(), 'config');
    const file = join(directory, 'lazyferry.yaml');
    mkdirSync(directory);
    writeFileSync(file, configOf('/a/'));
    const watcher = await watching(file);
    rmSync(directory, { recursive: true });
    expect(await watcher.next()).toEqual({ failed: expect.stringContaining('cannot be read (ENOENT)') });
    mkdirSync(directory);
    writeFileSync(join(directory, 'new'), configOf('/b/'));
    renameSync(join(directory, 'new'), file);
    expect(await watcher.next()).toEqual({ changed: ['/b/'] });
  });

  it('keeps the last good configuration when the file breaks, reports it, and takes up the mended one', async () => {
    const file = writeConfig(configOf('/a/'));
    const watcher = await watching(file);
    writeInPlace(file, configOf('bad'));
    expect(await watcher.next()).toEqual({
      failed: expect.stringContaining(`${file}:2:7 mappings[0].prefix: "bad" is not a prefix`),
    });
    writeInPlace(file, configOf('/b/'));
    expect(await watcher.next()).toEqual({ changed: ['/b/'] });
  });

  it('names the changed options that wait for a restart, until they are changed back', async () => {
    const file = writeConfig(configOf('/a/'));
    const watcher = await watching(file);
    replace(file, `${configOf('/b/')}store: { uploads: 3 }\nlisten: { delivery: "127.0.0.1:1" }\n`);
    expect(await watcher.next()).toEqual({ changed: ['/b/'], waiting: ['listen.delivery', 'store.uploads'] });
    replace(file, `${configOf('/c/')}store: { uploads: 3 }\n`);
    expect(await watcher.next()).toEqual({ changed: ['/c/'], waiting: ['store.uploads'] });
    replace(file, configOf('/c/'));
    expect(await watcher.next()).toEqual({ changed: ['/c/'] });
  });

  it('is silent when the file says the same in other words', async () => {
    const file = writeConfig(configOf('/a/'));
    const watcher = await watching(file, { TELL_READS: '1' });
    const source = `# a comment\n${configOf('/a/')}log: { level: info }\n`;
    replace(file, source);
    await watcher.nextWhere((event) => 'read' in event && event.read === source.length);
    replace(file, configOf('/b/'));
    expect(await watcher.nextWhere((event) => !('read' in event))).toEqual({ changed: ['/b/'] });
  });

  it('reads the environment’s secret files again on SIGHUP', async () => {
    const secret = join(temporaryDirectory(), 'prefix');
    writeFileSync(secret, '/a/');
    const file = writeConfig(configOf('"${PREFIX}"'));
    const watcher = await watching(file, { PREFIX_FILE: secret });
    writeFileSync(secret, '/b/');
    watcher.child.kill('SIGHUP');
    expect(await watcher.next()).toEqual({ changed: ['/b/'] });
  });

  it('answers each SIGHUP while the file is broken', async () => {
    const file = writeConfig(configOf('/a/'));
    const watcher = await watching(file);
    replace(file, 'mappings: []');
    const broken = { failed: expect.stringContaining('mappings: the list is empty') };
    expect(await watcher.next()).toEqual(broken);
    watcher.child.kill('SIGHUP');
    expect(await watcher.next()).toEqual(broken);
  });

  it('ends when nothing but a stopped watch is left', async () => {
    const watcher = await watching(writeConfig(configOf('/a/')));
    const exit = once(watcher.child, 'exit');
    watcher.child.stdin?.end();
    expect(await exit).toEqual([0, null]);
  });
});

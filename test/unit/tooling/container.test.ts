import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../../src/config/schema.ts';

const repository = join(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The Dockerfile's instructions, comments gone and continued lines joined; one list for each stage. */
function stages(): Instruction[][] {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const found: Instruction[][] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') found.push([]);
    found.at(-1)?.push({ name, value: value.replace(/\s+/g, ' ') });
  }
  return found;
}

const last = stages().at(-1) ?? [];
const lastValue = (name: string): string => last.find((instruction) => instruction.name === name)?.value ?? '';

interface Service {
  readonly image?: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly volumes: readonly string[];
  readonly healthcheck?: unknown;
  readonly [key: string]: unknown;
}
const compose: { services: { proxy: Service; redis: Service }; volumes: Record<string, unknown> } = parse(
  read('compose.yaml'),
);

describe('the image', () => {
  it('runs on the Node the project is developed with, in every stage', () => {
    const { devDependencies } = JSON.parse(read('package.json'));
    const major = /\d+/.exec(devDependencies.node)?.[0];
    const images = stages().map(([from]) => from?.value.split(' ')[0]);
    expect(images).toHaveLength(3);
    for (const image of images) expect(image).toBe(`node:${major}-slim`);
  });

  it('runs as a user that is not root and owns nothing but its data', () => {
    expect(lastValue('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(lastValue('VOLUME')).toBe('/data');
    expect(lastValue('ENV')).toContain('LAZYFERRY_DATA=/data');
    const copies = last.filter(({ name }) => name === 'COPY' || name === 'ADD');
    expect(copies.length).toBeGreaterThan(0);
    for (const copy of copies) expect(copy.value).not.toContain('--chown');
  });

  it('holds no development dependencies', () => {
    const modules = last.find(({ name, value }) => name === 'COPY' && value.includes('node_modules'))?.value ?? '';
    const stage = /--from=(\w+)/.exec(modules)?.[1];
    const source = stages().find(([from]) => from?.value.endsWith(` AS ${stage}`)) ?? [];
    expect(source.some(({ name, value }) => name === 'RUN' && value.includes('npm ci --omit=dev'))).toBe(true);
  });

  it('asks its own admin listener whether it is healthy', () => {
    const { listen } = configSchema.parse({ mappings: [{ prefix: '/', origin: 'http://127.0.0.1/' }] });
    expect(lastValue('HEALTHCHECK')).toContain(`http://${listen.admin.host}:${listen.admin.port}/healthz`);
  });

  it('can be reached from outside on the delivery port only', () => {
    expect(lastValue('ENV')).toContain('LAZYFERRY_LISTEN=0.0.0.0:8080');
    expect(lastValue('EXPOSE')).toBe('8080');
  });

  it('has the health check that tells a process alive from one that is gone', () => {
    const command: string[] = JSON.parse(/CMD (\[.*\])$/.exec(lastValue('HEALTHCHECK'))?.[1] ?? '[]');
    const script = command[2] ?? '';
    // Nothing listens on port 1: the same script, led there, must say so by its exit code.
    const nobody = script.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1');
    expect(() => execFileSync(process.execPath, ['-e', nobody], { stdio: 'ignore' })).toThrow();
  });

  it('is built from what is named and nothing else, so that no secret gets in', () => {
    const lines = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    const allowed = lines.slice(1).map((line) => line.replace(/^!/, ''));
    const copied = stages()
      .flat()
      .filter(({ name, value }) => name === 'COPY' && !value.startsWith('--from'))
      .flatMap(({ value }) => value.split(' ').slice(0, -1));
    expect([...new Set(copied)].sort()).toEqual([...allowed].sort());
  });
});

describe('the fleet of compose.yaml', () => {
  const { proxy, redis } = compose.services;

  it('keeps its ledger: Redis evicts nothing and writes to a volume', () => {
    expect(redis.command.join(' ')).toContain('--maxmemory-policy noeviction');
    expect(redis.command.join(' ')).toContain('--appendonly yes');
    expect(redis.volumes).toEqual(['ledger:/data']);
    expect(proxy.volumes).toEqual(['data:/data']);
    expect(Object.keys(compose.volumes).sort()).toEqual(['data', 'ledger']);
  });

  it('starts the proxy once Redis is healthy', () => {
    expect(redis.healthcheck).toMatchObject({ test: ['CMD', 'redis-cli', 'ping'] });
    expect(proxy.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
  });

  it('gives the proxy a root file system it cannot write, no privileges, and time to finish', () => {
    expect(proxy).toMatchObject({ read_only: true, init: true, cap_drop: ['ALL'] });
    const { shutdown } = configSchema.parse({ mappings: [{ prefix: '/', origin: 'http://127.0.0.1/' }] });
    expect(Number.parseInt(String(proxy.stop_grace_period), 10) * 1000).toBeGreaterThan(shutdown.grace);
  });

  it('holds no secret and no moving version', () => {
    expect(proxy.environment?.CLOUDINARY_URL).toBeNull();
    expect(read('compose.yaml')).not.toMatch(/cloudinary:\/\/\w|password|secret/i);
    expect(redis.image).toMatch(/^redis:\d+\.\d+/);
    expect(read('compose.yaml') + read('Dockerfile')).not.toContain(':latest');
  });
});

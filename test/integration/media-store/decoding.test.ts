import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { DecoderPool, type DecoderPoolOptions } from '../../../src/media-store/decoding/decoder-pool.ts';
import { DecodingStopped } from '../../../src/media-store/decoding/decoder-process.ts';
import { blurredDrawing, exifBomb } from '../../security/image-bombs.ts';
import { videoBombs } from '../../security/video-bombs.ts';
import { endWithTests } from '../../support/child.ts';
import { childrenOf, residentBytes } from '../../support/proc.ts';
import { type RunningStore, startStore, upload } from './harness.ts';

const lake = join(import.meta.dirname, '../../../sample/media/photos/lake.jpg');

/** A file that keeps its reader busy for longer than any test, and one on which it runs out of memory. */
const [endless, exhausting] = videoBombs.map(({ body }) => body) as [Buffer, Buffer];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-decoding-'));
  await writeFile(join(folder, 'endless'), endless);
  await writeFile(join(folder, 'exhausting'), exhausting);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let pool: DecoderPool;
afterEach(async () => {
  pool?.close();
  await vi.waitUntil(() => childrenOf(process.pid).length === 0, { timeout: 5_000 });
});

function startPool(options: Partial<DecoderPoolOptions> = {}): DecoderPool {
  pool = new DecoderPool({ most: 1, mostWaiting: 10, seconds: 80, ...options });
  return pool;
}

const readLake = () => pool.run('analyseImage', lake, 'jpg');
const analyseVideo = (name: string) => pool.run('analyseVideo', join(folder, name), endless.length);

describe('a decoder', () => {
  test('that takes too long is ended, and the file that waits gets another', async () => {
    startPool({ seconds: 2 });
    const stuck = expect(analyseVideo('endless')).rejects.toThrow(
      new DecodingStopped('reading the file took more than 2 s'),
    );
    const { width } = (await readLake()) ?? {};
    await stuck;
    expect(width).toBeGreaterThan(0);
  });

  test('that runs out of memory goes alone', { timeout: 90_000 }, async () => {
    startPool();
    await expect(analyseVideo('exhausting')).rejects.toThrow(DecodingStopped);
    expect(await readLake()).toMatchObject({ pages: 1 });
  });

  test('that was killed while nobody needed it is replaced', async () => {
    startPool();
    await readLake();
    const [pid = 0] = childrenOf(process.pid);
    process.kill(pid, 'SIGKILL');
    await vi.waitUntil(() => !existsSync(`/proc/${pid}`), { timeout: 5_000 });
    expect(await readLake()).toMatchObject({ pages: 1 });
  });

  test('is used again, and knows nothing of our environment', async () => {
    vi.stubEnv('CLOUDINARY_URL', 'cloudinary://key:a-secret@cloud');
    onTestFinished(() => void vi.unstubAllEnvs());
    startPool();
    await readLake();
    const before = childrenOf(process.pid);
    await readLake();
    expect(childrenOf(process.pid)).toEqual(before);
    expect(before).toHaveLength(1);
    expect(readFileSync(`/proc/${before[0]}/environ`, 'latin1')).not.toContain('a-secret');
  });

  test('that was started ahead is there for the first file', async () => {
    startPool().prepare();
    const started = childrenOf(process.pid);
    await readLake();
    expect(started).toHaveLength(1);
    expect(childrenOf(process.pid)).toEqual(started);
  });

  test('that dies as it starts is no reason to refuse the file for good', async () => {
    startPool();
    const reading = expect(readLake()).rejects.toMatchObject({ name: 'StoreError', status: 503 });
    const [pid = 0] = childrenOf(process.pid);
    process.kill(pid, 'SIGKILL');
    await reading;
  });

  test('ends with its pool, whatever it is at', async () => {
    startPool();
    await readLake();
    const stuck = expect(analyseVideo('endless')).rejects.toThrow(DecodingStopped);
    pool.close();
    await stuck;
    await vi.waitUntil(() => childrenOf(process.pid).length === 0, { timeout: 5_000 });
    await expect(readLake()).rejects.toThrow('The store is closing');
  });

  test('ends with a store that is killed, whatever it draws', { timeout: 60_000 }, async () => {
    const program = join(import.meta.dirname, 'fixtures/store-process.ts');
    const process = spawn(execPath, [program, join(folder, 'store')], { stdio: ['ignore', 'pipe', 'inherit'] });
    endWithTests(process);
    const [url] = await once(createInterface({ input: process.stdout }), 'line');
    const store = { url } as RunningStore;
    await upload(store, { file: new File([blurredDrawing], 'a.svg'), public_id: 'a' });
    const reader = childrenOf(process.pid ?? 0);
    const cut = expect(fetch(`${url}/demo/image/upload/f_png/a`)).rejects.toThrow('fetch failed');
    const drawing = () => childrenOf(process.pid ?? 0).filter((pid) => !reader.includes(pid));
    await vi.waitUntil(() => drawing().some((pid) => residentBytes(pid) > 150e6), { timeout: 20_000 });
    const decoders = childrenOf(process.pid ?? 0);
    process.kill('SIGKILL');
    await cut;
    await vi.waitUntil(() => decoders.every((pid) => !existsSync(`/proc/${pid}`)), { timeout: 5_000 });
  });
});

test('more files than may wait are turned away', async () => {
  startPool({ mostWaiting: 1 });
  const outcomes = await Promise.allSettled([readLake(), readLake(), readLake()]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
});

test('an upload whose embedded metadata never ends is stored, and answered without it', async () => {
  const store = await startStore();
  const form = { file: new File([exifBomb(await readFile(lake))], 'a.jpg'), image_metadata: 'true' };
  const { status, body } = await upload(store, form);
  expect(status).toBe(200);
  expect(body.bytes).toBeGreaterThan(0);
  expect(body).not.toHaveProperty('image_metadata');
});

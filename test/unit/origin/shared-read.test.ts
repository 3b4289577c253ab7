import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import type { OriginBody } from '../../../src/origin/origin.ts';
import { SharedReads } from '../../../src/origin/shared-read.ts';
import { patternContent } from '../../support/chaos-content.ts';
import { openFilesIn, readAll, readBytes } from '../../support/spool-readers.ts';

const size = 1_000_000;
const content = Buffer.from(patternContent(size).subarray(0, size));
const key = '/images/ a.jpg ';

/** One origin object whose bytes arrive when the test says so. */
class SteeredOrigin {
  readonly body = new PassThrough().on('error', () => {});
  opened = 0;
  signal: AbortSignal | undefined;
  readonly head = Promise.withResolvers<OriginBody>();

  readonly open = (signal: AbortSignal): Promise<OriginBody> => {
    this.opened += 1;
    this.signal = signal;
    signal.addEventListener('abort', () => {
      this.head.reject(signal.reason);
      this.body.destroy(signal.reason);
    });
    return this.head.promise;
  };

  answer(): void {
    this.head.resolve({ status: 200, facts: {}, headers: {}, length: size, framed: true, body: this.body });
  }
}

let directory: string;
let reads: SharedReads;
let origin: SteeredOrigin;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lazyferry-shared-read-'));
  reads = new SharedReads({ directory, memoryBytes: 100_000, maxBytes: size });
  origin = new SteeredOrigin();
  process.on('unhandledRejection', onRejection);
});

afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', onRejection);
  expect(rejections.splice(0)).toEqual([]);
  expect(reads.size).toBe(0);
  rmSync(directory, { recursive: true, force: true });
});

describe('many clients of one object', () => {
  test('cost the origin one read and get the same bytes, whenever they come', async () => {
    const read = reads.join(key, origin.open);
    const release = read.hold();
    const clients = Array.from({ length: 50 }, () => readAll(reads.join(key, origin.open).attach()));
    origin.answer();
    origin.body.write(content.subarray(0, 500_000));
    const early = read.attach();
    if (early === undefined) throw new Error('no stream');
    await readBytes(early, 400_000);
    clients.push(readAll(reads.join(key, origin.open).attach()));
    origin.body.end(content.subarray(500_000));
    clients.push(readAll(reads.join(key, origin.open).attach()));
    for (const bytes of await Promise.all(clients)) expect(bytes.equals(content)).toBe(true);
    expect(await read.digest).toEqual({
      bytes: size,
      md5: createHash('md5').update(content).digest('hex'),
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(read.whole).toBe(true);
    expect(origin.opened).toBe(1);
    early.destroy();
    await once(early, 'close');
    release();
  });

  test('who leave in the middle do not take the bytes from the others', async () => {
    const read = reads.join(key, origin.open);
    const leaving = read.attach();
    const staying = readAll(read.attach());
    origin.answer();
    leaving?.destroy();
    origin.body.end(content);
    expect((await staying).equals(content)).toBe(true);
    expect(origin.signal?.aborted).toBe(false);
  });

  test('get an error, never an end, when the origin breaks off', async () => {
    const read = reads.join(key, origin.open);
    const client = read.attach();
    if (client === undefined) throw new Error('no stream');
    origin.answer();
    origin.body.write(content.subarray(0, 1_000));
    expect((await readBytes(client, 1_000)).equals(content.subarray(0, 1_000))).toBe(true);
    const cut = new AssetFailure('origin-truncated', { detail: 'cut off' });
    origin.body.destroy(cut);
    await expect(readAll(client)).rejects.toBe(cut);
    expect(client.readableEnded).toBe(false);
    expect(read.failure).toBe(cut);
    await expect(read.digest).rejects.toBe(cut);
  });
});

describe('when the last one leaves', () => {
  test('the origin is no longer read', async () => {
    const read = reads.join(key, origin.open);
    const client = read.attach();
    origin.answer();
    origin.body.write(content.subarray(0, 1_000));
    client?.destroy();
    await read.digest.catch(() => {});
    expect(origin.signal?.aborted).toBe(true);
    await expect(read.digest).rejects.toBeDefined();
  });

  test('an origin that has not answered yet is given up too', async () => {
    const release = reads.join(key, origin.open).hold();
    release();
    expect(origin.signal?.aborted).toBe(true);
  });

  test('a hold keeps the read going to its end', async () => {
    const read = reads.join(key, origin.open);
    const release = read.hold();
    const client = read.attach();
    origin.answer();
    client?.destroy();
    origin.body.end(content);
    expect((await read.digest).bytes).toBe(size);
    expect(openFilesIn(directory)).toHaveLength(1);
    release();
    release();
  });

  test('the file is closed, also when it is just being opened', async () => {
    const read = reads.join(key, origin.open);
    const release = read.hold();
    origin.answer();
    origin.body.write(content.subarray(0, 150_000));
    while (read.received < 100_000 && openFilesIn(directory).length === 0) await new Promise(setImmediate);
    release();
    await read.digest.catch(() => {});
    while (openFilesIn(directory).length > 0) await new Promise(setImmediate);
  });

  test('the next client starts a read of its own', async () => {
    const read = reads.join(key, origin.open);
    read.hold()();
    const second = new SteeredOrigin();
    const next = reads.join(key, second.open);
    expect(next).not.toBe(read);
    const client = readAll(next.attach());
    second.answer();
    second.body.end(content);
    expect((await client).equals(content)).toBe(true);
  });
});

describe('newcomers', () => {
  test('do not join a read that failed', async () => {
    const read = reads.join(key, origin.open);
    const release = read.hold();
    origin.head.reject(new AssetFailure('origin-timeout', { detail: 'silent' }));
    await expect(read.response).rejects.toThrow('silent');
    await expect(read.digest).rejects.toThrow('silent');
    expect(reads.current(key)).toBeUndefined();
    release();
  });

  test('are told when they cannot have the beginning any more', async () => {
    reads = new SharedReads({ directory, memoryBytes: 0, maxBytes: 0 });
    const read = reads.join(key, origin.open);
    const client = readAll(read.attach());
    const release = read.hold();
    origin.answer();
    for (let part = 0; part < 3; part += 1) origin.body.write(content);
    origin.body.end();
    expect((await client).length).toBe(3 * size);
    expect(read.attach()).toBeUndefined();
    release();
  });

  test('of another object read that one', () => {
    const one = reads.join(key, origin.open);
    const other = reads.join('/images/ b.jpg ', new SteeredOrigin().open);
    expect(other).not.toBe(one);
    for (const read of [one, other]) read.hold()();
  });
});

describe('a read that a job waits for', () => {
  test('is kept when its clients have left, until the job is over', async () => {
    const job = Promise.withResolvers<void>();
    const read = reads.join(key, origin.open);
    const leave = read.hold();
    reads.keep(read, size, job.promise);
    reads.keep(read, size, job.promise);
    leave();
    origin.answer();
    origin.body.end(content);
    await read.digest;
    expect(reads.current(key)).toBe(read);
    expect((await readAll(read.attach() as NonNullable<ReturnType<typeof read.attach>>)).equals(content)).toBe(true);
    job.resolve();
    await job.promise;
    await new Promise(setImmediate);
    expect(reads.current(key)).toBeUndefined();
  });

  test('is given up all the same where too many bytes wait already', async () => {
    const job = Promise.withResolvers<void>();
    const read = reads.join(key, origin.open);
    const leave = read.hold();
    reads.keep(read, 65 << 20, job.promise);
    leave();
    expect(reads.current(key)).toBeUndefined();
    expect(origin.signal?.aborted).toBe(true);
    job.resolve();
  });
});

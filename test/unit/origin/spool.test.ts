import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ByteBudget } from '../../../src/origin/byte-budget.ts';
import { Spool, type SpoolOptions } from '../../../src/origin/spool.ts';
import { patternContent } from '../../support/chaos-content.ts';
import { openFilesIn, readAll, readBytes } from '../../support/spool-readers.ts';

const chunkBytes = 50_000;
const size = 4_000_000;
const content = Buffer.from(patternContent(size).subarray(0, size));

let directory: string;
let spool: Spool;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lazyferry-spool-'));
  process.on('unhandledRejection', onRejection);
});

afterEach(async () => {
  await spool.close();
  expect(openFilesIn(directory)).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
  process.off('unhandledRejection', onRejection);
  expect(rejections.splice(0)).toEqual([]);
});

function start(options: Partial<SpoolOptions> = {}): Spool {
  spool = new Spool({ directory, memoryBytes: 1_000_000, maxBytes: size, ...options });
  return spool;
}

async function write(from = 0, to = size): Promise<void> {
  for (let at = from; at < to; at += chunkBytes)
    await spool.append(content.subarray(at, Math.min(at + chunkBytes, to)));
}

describe('readers', () => {
  test.each([
    ['memory alone', { memoryBytes: size }],
    ['a file alone', { memoryBytes: 0 }],
    ['memory, then a file', {}],
    ['memory, a file, then a window', { maxBytes: 2_000_000 }],
    ['memory, then a window', { maxBytes: 1_000_000 }],
    ['a window alone', { maxBytes: 0 }],
  ])('that are there from the beginning get the same bytes through %s', async (_, options) => {
    start(options);
    const readers = [spool.read(), spool.read(), spool.read()].map(readAll);
    await write();
    spool.end();
    for (const bytes of await Promise.all(readers)) expect(bytes.equals(content)).toBe(true);
    expect(spool.length).toBe(size);
  });

  test('that come while the bytes arrive, or after, get them from the first on', async () => {
    start();
    await write(0, 1_500_000);
    const middle = readAll(spool.read());
    await write(1_500_000);
    const late = readAll(spool.read());
    spool.end();
    const after = readAll(spool.read());
    for (const bytes of await Promise.all([middle, late, after])) expect(bytes.equals(content)).toBe(true);
  });

  test.each([
    [0, 1],
    [999_999, 1_000_001],
    [0, 1_000_000],
    [1_000_000, 3_000_000],
    [size - 1, size],
    [123_456, size + 10],
  ])('of the range from %d to before %d get just that', async (from, to) => {
    start();
    await write();
    spool.end();
    expect((await readAll(spool.read(from, to))).equals(content.subarray(from, to))).toBe(true);
  });

  test('that stand still do not hold up the writer or the others while everything is kept', async () => {
    start();
    const still = spool.read();
    const other = readAll(spool.read());
    await write();
    spool.end();
    expect((await other).equals(content)).toBe(true);
    expect((await readAll(still)).equals(content)).toBe(true);
  });

  test('that go away in the middle change nothing for the others', async () => {
    start({ maxBytes: 1_000_000 });
    const leaving = spool.read();
    const staying = readAll(spool.read());
    if (leaving === undefined) throw new Error('no reader');
    leaving.once('data', () => leaving.destroy());
    await write();
    spool.end();
    expect((await staying).equals(content)).toBe(true);
  });

  test('get what has arrived before a failure, then the failure, and never an end', async () => {
    start();
    const reader = spool.read();
    if (reader === undefined) throw new Error('no reader');
    await write(0, 100_000);
    expect((await readBytes(reader, 100_000)).equals(content.subarray(0, 100_000))).toBe(true);
    spool.fail(new Error('the origin broke off'));
    await expect(readAll(reader)).rejects.toThrow('the origin broke off');
    expect(reader.readableEnded).toBe(false);
    await expect(readAll(spool.read())).rejects.toThrow('the origin broke off');
  });

  test('fail when the spool is closed under them', async () => {
    start();
    const reader = readAll(spool.read());
    await write(0, 100_000);
    await spool.close();
    await expect(reader).rejects.toThrow('the spool was closed');
    expect(spool.read()).toBeUndefined();
  });

  test('of an empty body get an end', async () => {
    start();
    const reader = readAll(spool.read());
    spool.end();
    expect(await reader).toEqual(Buffer.alloc(0));
  });
});

describe('past the limit', () => {
  test('nothing is lost while nobody has moved on: a newcomer still gets it all', async () => {
    start({ memoryBytes: 0, maxBytes: 0 });
    const first = spool.read();
    await spool.append(content.subarray(0, 500_000));
    expect(spool.complete).toBe(true);
    const second = readAll(spool.read());
    const firstBytes = readAll(first);
    spool.end();
    expect((await firstBytes).length).toBe(500_000);
    expect((await second).equals(content.subarray(0, 500_000))).toBe(true);
  });

  test('newcomers are refused once the beginning is gone', async () => {
    start({ maxBytes: 1_000_000 });
    const reader = readAll(spool.read());
    await write();
    expect(spool.complete).toBe(false);
    expect(spool.read()).toBeUndefined();
    spool.end();
    await reader;
  });

  test('the writer waits for the slowest reader and goes on when it has gone', async () => {
    start({ memoryBytes: 0, maxBytes: 0 });
    const still = spool.read();
    const reader = readAll(spool.read());
    let written = false;
    const writing = write().then(() => {
      written = true;
    });
    // The window is full: one more turn of everything changes nothing.
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    expect(spool.length).toBeLessThan(1_300_000);
    still?.destroy();
    await writing;
    spool.end();
    expect((await reader).equals(content)).toBe(true);
  });

  test('bytes that nobody reads are let through and counted', async () => {
    start({ maxBytes: 0 });
    await write();
    expect(spool.length).toBe(size);
    expect(spool.read()).toBeUndefined();
  });

  test('a reader that has its range does not hold the others up', async () => {
    start({ memoryBytes: 100_000, maxBytes: 100_000 });
    const ranged = spool.read(0, 10);
    const reader = readAll(spool.read());
    await write();
    spool.end();
    expect((await reader).equals(content)).toBe(true);
    expect((await readAll(ranged)).equals(content.subarray(0, 10))).toBe(true);
  });

  test('a reader that has taken its range from the window does not hold the others up', async () => {
    start({ memoryBytes: 0, maxBytes: 0 });
    const ranged = spool.read(0, 10);
    const reader = readAll(spool.read());
    if (ranged === undefined) throw new Error('no reader');
    const taken = readBytes(ranged, 10);
    await write();
    spool.end();
    expect((await taken).equals(content.subarray(0, 10))).toBe(true);
    expect((await reader).equals(content)).toBe(true);
    ranged.destroy();
  });
});

describe('the file', () => {
  test('has no name while it is used', async () => {
    start({ memoryBytes: 0 });
    await write();
    expect(readdirSync(directory)).toEqual([]);
    expect(openFilesIn(directory)).toHaveLength(1);
    await spool.close();
    expect(openFilesIn(directory)).toEqual([]);
  });

  test('is not opened for what fits into memory', async () => {
    start({ memoryBytes: size });
    await write();
    expect(openFilesIn(directory)).toEqual([]);
  });

  test('is closed also when the spool is closed while it is being opened', async () => {
    start({ memoryBytes: 0 });
    const writing = spool.append(content.subarray(0, chunkBytes));
    await spool.close();
    await writing;
    expect(openFilesIn(directory)).toEqual([]);
  });

  test('is made in a directory that is not there yet', async () => {
    start({ memoryBytes: 0, directory: join(directory, 'not', 'yet') });
    const reader = readAll(spool.read());
    await write();
    spool.end();
    expect((await reader).equals(content)).toBe(true);
    expect(openFilesIn(directory)).toHaveLength(1);
  });

  test('that cannot be made costs nobody a byte: readers go on through the window', async () => {
    const blocked = join(directory, 'a-file');
    writeFileSync(blocked, '');
    chmodSync(blocked, 0o400);
    start({ memoryBytes: 100_000, directory: blocked });
    const reader = readAll(spool.read());
    await write();
    spool.end();
    expect((await reader).equals(content)).toBe(true);
  });
});

describe('what all spools may use together', () => {
  test('is never exceeded, costs nobody a byte, and is given back', async () => {
    const memory = new ByteBudget(500_000);
    const disk = new ByteBudget(1_000_000);
    const spools = Array.from({ length: 3 }, () => start({ memory, disk }));
    const readers = spools.map((each) => readAll(each.read()));
    for (let at = 0; at < size; at += chunkBytes) {
      await Promise.all(spools.map((each) => each.append(content.subarray(at, at + chunkBytes))));
      expect(memory.taken).toBeLessThanOrEqual(500_000);
      expect(disk.taken).toBeLessThanOrEqual(1_000_000);
    }
    expect([memory.taken, disk.taken]).toEqual([500_000, 1_000_000]);
    for (const each of spools) each.end();
    for (const bytes of await Promise.all(readers)) expect(bytes.equals(content)).toBe(true);
    await Promise.all(spools.map((each) => each.close()));
    expect([memory.taken, disk.taken]).toEqual([0, 0]);
  });

  test('is given back also by a spool that is closed while it writes, or whose file cannot be made', async () => {
    const disk = new ByteBudget(size);
    start({ memoryBytes: 0, disk });
    const writing = spool.append(content.subarray(0, chunkBytes));
    await spool.close();
    await writing;
    expect(disk.taken).toBe(0);
    const blocked = join(directory, 'a-file');
    writeFileSync(blocked, '');
    start({ memoryBytes: 0, disk, directory: blocked });
    await write();
    expect(disk.taken).toBe(0);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Answer, post, type RunningStore, signed, startStore } from './harness.ts';

const MiB = 2 ** 20;
const file = randomBytes(13 * MiB + 77);

interface ChunkRequest {
  readonly id?: string;
  readonly start: number;
  readonly end: number;
  /** What stands behind the slash of Content-Range. */
  readonly total: string | number;
  readonly publicId?: string;
}

function sendChunk(
  store: RunningStore,
  { id = 'upload-1', start, end, total, publicId = 'big.bin' }: ChunkRequest,
): Promise<Answer> {
  return post(
    store,
    '/raw/upload',
    signed({ file: new File([file.subarray(start, end)], 'blob'), public_id: publicId }),
    {
      'x-unique-upload-id': id,
      'content-range': `bytes ${start}-${end - 1}/${total}`,
    },
  );
}

async function expectWhole(answer: Answer): Promise<void> {
  expect(answer.body).toMatchObject({
    done: true,
    bytes: file.length,
    etag: createHash('md5').update(file).digest('hex'),
    public_id: 'big.bin',
  });
  const stored = Buffer.from(await (await fetch(answer.body.url)).arrayBuffer());
  expect(stored.equals(file)).toBe(true);
}

const first = { start: 0, end: 6 * MiB };
const second = { start: 6 * MiB, end: 12 * MiB };
const last = { start: 12 * MiB, end: file.length };

test.each(['-1', '*', file.length])('chunks with the total written as %s make the whole file', async (total) => {
  const store = await startStore();
  const one = await sendChunk(store, { ...first, total });
  expect(one.body).toMatchObject({
    done: false,
    bytes: 6 * MiB,
    kind: 'upload',
    resource_type: 'raw',
    public_id: 'big.bin',
  });
  expect((await sendChunk(store, { ...second, total })).body).toMatchObject({ done: false, bytes: 12 * MiB });
  await expectWhole(await sendChunk(store, { ...last, total: file.length }));
  expect(await readdir(join(store.dir, 'partials'))).toEqual([]);
  expect(await readdir(join(store.dir, 'staging'))).toEqual([]);
});

test('chunks in any order, some of them twice, make the whole file', async () => {
  const store = await startStore();
  const total = file.length;
  expect((await sendChunk(store, { ...last, total })).body.done).toBe(false);
  expect((await sendChunk(store, { ...first, total })).body.done).toBe(false);
  expect((await sendChunk(store, { ...first, total })).body).toMatchObject({ done: false, bytes: total - 6 * MiB });
  await expectWhole(await sendChunk(store, { ...second, total }));
});

test('all chunks at the same time: one of them gets the whole answer', async () => {
  const store = await startStore();
  const total = file.length;
  const answers = await Promise.all([first, second, last].map((range) => sendChunk(store, { ...range, total })));
  const finished = answers.filter(({ body }) => body.done);
  expect(finished).toHaveLength(1);
  await expectWhole(finished[0] as Answer);
});

test('a file in one chunk is an upload of its own', async () => {
  const store = await startStore();
  await expectWhole(await sendChunk(store, { start: 0, end: file.length, total: file.length }));
});

test('a client that lost the last answer gets it again', async () => {
  const store = await startStore();
  const total = file.length;
  await sendChunk(store, { ...first, total });
  await sendChunk(store, { ...second, total });
  const [one, again] = await Promise.all([sendChunk(store, { ...last, total }), sendChunk(store, { ...last, total })]);
  await expectWhole(one);
  await expectWhole(again);
  expect(again.body.version).toBe(one.body.version);
});

test('an upload goes on after a restart of the store', async () => {
  const store = await startStore();
  await sendChunk(store, { ...first, total: '-1' });
  await store.close();
  const again = await startStore({ dir: store.dir });
  expect((await sendChunk(again, { ...second, total: '-1' })).body).toMatchObject({ done: false, bytes: 12 * MiB });
  await expectWhole(await sendChunk(again, { ...last, total: file.length }));
});

test('two uploads with one upload ID but different public IDs do not mix', async () => {
  const store = await startStore();
  await sendChunk(store, { ...first, total: '-1' });
  const other = await sendChunk(store, { ...second, total: '-1', publicId: 'other.bin' });
  expect(other.body.bytes).toBe(6 * MiB);
});

test('a chunk below 5 MB that is not the last is refused', async () => {
  const store = await startStore();
  const { status, body } = await sendChunk(store, { start: 0, end: 1000, total: '-1' });
  expect([status, body.error.message]).toEqual([400, 'All parts except EOF-chunk must be larger than 5mb']);
});

test.each([
  ['no range', 'chunk 1 of 3'],
  ['a backward range', 'bytes 10-5/100'],
  ['a range beyond the total', 'bytes 0-100/50'],
  ['a range that is not the size of the chunk', `bytes 0-${6 * MiB}/-1`],
])('%s is refused', async (_name, range) => {
  const store = await startStore();
  const answer = await post(store, '/raw/upload', signed({ file: new File([file.subarray(0, 6 * MiB)], 'blob') }), {
    'x-unique-upload-id': 'u',
    'content-range': range,
  });
  expect(answer.status).toBe(400);
  expect(answer.body.error.message).toMatch(/^Invalid Content-Range/);
});

test('a total that changes is refused', async () => {
  const store = await startStore();
  await sendChunk(store, { ...first, total: file.length });
  const { status, body } = await sendChunk(store, { ...second, total: file.length + 1 });
  expect([status, body.error.message]).toEqual([400, `Invalid Content-Range - the total was ${file.length} before`]);
});

test('an upload nobody finishes is cleaned up after its time', async () => {
  let now = Date.now();
  const store = await startStore({ clock: () => now, partialUploadTtl: 1000 });
  await sendChunk(store, { ...first, total: '-1', id: 'abandoned' });
  expect(await readdir(join(store.dir, 'partials'))).toHaveLength(1);
  now += 1001;
  await sendChunk(store, { ...first, total: '-1', id: 'another' });
  expect(await readdir(join(store.dir, 'partials'))).toHaveLength(1);
  expect((await sendChunk(store, { ...second, total: '-1', id: 'abandoned' })).body.bytes).toBe(6 * MiB);
});

test('a whole file that is not what it should be is refused, and nothing of it stays', async () => {
  const store = await startStore();
  const headers = { 'x-unique-upload-id': 'u', 'content-range': 'bytes 0-9/10' };
  const { status, body } = await post(
    store,
    '/image/upload',
    signed({ file: new File(['0123456789'], 'blob') }),
    headers,
  );
  expect([status, body.error.message]).toEqual([400, 'Invalid image file']);
  expect(await readdir(join(store.dir, 'partials'))).toEqual([]);
  expect(await readdir(join(store.dir, 'staging'))).toEqual([]);
});

test('the holes of a sparse file stay holes on disk', async () => {
  const store = await startStore();
  const zeros = Buffer.alloc(40 * MiB);
  const chunk = (start: number) =>
    post(store, '/raw/upload', signed({ file: new File([zeros], 'blob'), public_id: 'sparse.bin' }), {
      'x-unique-upload-id': 'u',
      'content-range': `bytes ${start}-${start + zeros.length - 1}/${3 * zeros.length}`,
    });
  for (const start of [0, zeros.length, 2 * zeros.length]) await chunk(start);
  const names = await readdir(join(store.dir, 'blobs'), { recursive: true });
  const blob = names.find((name) => /[0-9a-f]{64}$/.test(name)) ?? '';
  const { size, blocks } = await stat(join(store.dir, 'blobs', blob));
  expect(size).toBe(3 * zeros.length);
  expect(blocks * 512).toBeLessThan(MiB);
});

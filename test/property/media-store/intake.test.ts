import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMediaStore, type MediaStore } from '../../../src/media-store/media-store.ts';

const unexpected: unknown[] = [];
let store: MediaStore;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazyferry-store-'));
  const log = { error: (details: object) => void unexpected.push(details) };
  const account = { cloudName: 'demo', apiKey: 'key', apiSecret: 'secret' };
  store = await createMediaStore({ dir, ...account, allowPrivateOrigins: false }, log);
  await store.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const authorization = `Basic ${Buffer.from('key:secret').toString('base64')}`;

/** Sends a body as it is, and gives the answer's status and JSON. */
async function send(contentType: string, body: Buffer): Promise<{ status: number; json: unknown }> {
  const socket = connect(Number(new URL(store.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    `POST /v1_1/demo/raw/upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n` +
      `Content-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
  const answer = await text(socket);
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), json: JSON.parse(rest.join('\r\n\r\n')) };
}

/** Whatever was sent: a JSON answer, never 500, nothing logged, no temporary file left. */
async function expectCalm(contentType: string, body: Buffer): Promise<void> {
  const { status, json } = await send(contentType, body);
  expect([200, 400, 401, 404, 413]).toContain(status);
  if (status !== 200) expect(json).toEqual({ error: { message: expect.any(String) } });
  expect(unexpected).toEqual([]);
  expect(await readdir(join(dir, 'staging'))).toEqual([]);
}

const runs = { numRuns: 150 };

const name = fc.oneof(
  fc.constantFrom('file', 'public_id', 'tags', 'context', 'eager', 'overwrite', 'type', 'timestamp', 'signature'),
  fc.constantFrom('__proto__', 'constructor', 'tags[]', 'tags[0]', 'file[]', '', 'toString'),
  fc.string(),
);
const value = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'data:,x',
    'data:text/plain;base64,aGk=',
    'http://127.0.0.1/',
    'a=b|c',
    '../../etc/passwd',
    '\0',
    '\r\n',
  ),
);

test('arbitrary bytes under any content type get a calm answer', async () => {
  const types = [
    'multipart/form-data; boundary=b',
    'application/x-www-form-urlencoded',
    'application/json',
    'text/plain',
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...types), fc.uint8Array({ maxLength: 2000 }), (type, bytes) =>
      expectCalm(type, Buffer.from(bytes)),
    ),
    runs,
  );
});

test('arbitrary multipart forms, whole and cut anywhere, get a calm answer', async () => {
  const part = fc.record({
    name,
    filename: fc.option(fc.string()),
    type: fc.option(fc.constantFrom('text/plain', 'application/octet-stream', 'nonsense')),
    value,
  });
  const form = fc
    .array(part, { maxLength: 6 })
    .map((parts) =>
      Buffer.from(
        `${parts
          .map(
            (one) =>
              `--b\r\nContent-Disposition: form-data; name="${one.name}"` +
              `${one.filename === null ? '' : `; filename="${one.filename}"`}\r\n` +
              `${one.type === null ? '' : `Content-Type: ${one.type}\r\n`}\r\n${one.value}\r\n`,
          )
          .join('')}--b--\r\n`,
      ),
    );
  await fc.assert(
    fc.asyncProperty(form, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (body, part, isCut) =>
      expectCalm('multipart/form-data; boundary=b', isCut ? body.subarray(0, Math.floor(body.length * part)) : body),
    ),
    runs,
  );
});

test('arbitrary urlencoded forms get a calm answer', async () => {
  const form = fc
    .array(fc.tuple(name, value), { maxLength: 8 })
    .map((pairs) =>
      Buffer.from(new URLSearchParams(pairs.map(([key, text]) => [key, text] as [string, string])).toString()),
    );
  await fc.assert(
    fc.asyncProperty(form, (body) => expectCalm('application/x-www-form-urlencoded', body)),
    runs,
  );
});

test('arbitrary JSON gets a calm answer', async () => {
  const body = fc
    .oneof(fc.jsonValue(), fc.dictionary(name, fc.oneof(value, fc.jsonValue())))
    .map((json) => Buffer.from(JSON.stringify(json)));
  await fc.assert(
    fc.asyncProperty(body, (bytes) => expectCalm('application/json', bytes)),
    runs,
  );
});

test('arbitrary delivery URLs are answered, never with 500', async () => {
  const path = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'demo',
          'image',
          'upload',
          'v1',
          'w_10',
          's--AAAAAAAA--',
          '..',
          '%2e%2e',
          't_x',
          'e_blur:1',
          'a.jpg',
        ),
        fc.webPath(),
        fc.string({ unit: fc.constantFrom('%', '_', ',', ':', '.', '~', 'w', '1') }),
      ),
      { maxLength: 8 },
    )
    .map((parts) => `/demo/image/upload/${parts.join('/')}`);
  await fc.assert(
    fc.asyncProperty(path, async (target) => {
      const socket = connect(Number(new URL(store.url).port), '127.0.0.1');
      socket.write(`GET ${target.replace(/\s/g, '')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const status = Number((await text(socket)).split(' ')[1]);
      expect([400, 401, 404]).toContain(status);
      expect(unexpected).toEqual([]);
    }),
    runs,
  );
});

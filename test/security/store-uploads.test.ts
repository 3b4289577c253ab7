import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { signParameters } from '../../src/cloudinary/signature.ts';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type LazyferryProcess, startLazyferry } from '../support/lazyferry-process.ts';
import { residentBytes } from '../support/proc.ts';
import { dial } from '../support/raw-http.ts';

const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));
const megabyte = 1_000_000;

let directory: string;
let store: LazyferryProcess;
let url: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lazyferry-flooded-'));
  store = await startLazyferry({ command: 'store', args: ['--listen', '127.0.0.1:0', '--dir', directory] });
  url = String(store.store);
});

afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** A request of somebody unknown, whose body has no stated length and need not end. */
class Flood {
  readonly #socket: Socket;
  answer = '';
  closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.answer += chunk.toString('latin1');
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Resolves when it is sent, or when the store does not want it any more. */
  async send(text: string): Promise<void> {
    if (this.closed || this.answer !== '') return;
    this.#socket.write(`${text.length.toString(16)}\r\n${text}\r\n`, 'latin1');
    await vi.waitUntil(() => this.#socket.writableLength === 0 || this.closed || this.answer !== '', {
      timeout: 20_000,
      interval: 5,
    });
  }

  async status(): Promise<number> {
    await vi.waitUntil(() => this.answer !== '' || this.closed, { timeout: 10_000 });
    return Number(this.answer.split(' ')[1] ?? 0);
  }

  end(): void {
    this.#socket.destroy();
  }
}

async function flood(action: string, type = 'multipart/form-data; boundary=b'): Promise<Flood> {
  const socket = await dial(url);
  socket.write(`POST /v1_1/local/image/${action} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n`);
  socket.write('Transfer-Encoding: chunked\r\n\r\n');
  return new Flood(socket);
}

const part = (name: string, rest = '') => `--b\r\ncontent-disposition: form-data; name="${name}"${rest}\r\n\r\n`;

/** What somebody who knows the secret sends, in the order of the SDKs: the file last. */
async function signedUpload(): Promise<Response> {
  const secret = (await readFile(join(directory, 'api-secret'), 'utf8')).trim();
  const parameters = { public_id: 'known', overwrite: '1', timestamp: String(Math.floor(Date.now() / 1000)) };
  const form = new FormData();
  for (const [name, value] of Object.entries(parameters)) form.append(name, value);
  form.append('api_key', 'lazyferry');
  form.append('signature', signParameters(parameters, secret));
  form.append('file', new File([lake], 'lake.jpg'));
  return fetch(`${url}/v1_1/local/image/upload`, { method: 'POST', body: form });
}

const file = (name: string) => part(name, '; filename="a.jpg"');
const broken: readonly (readonly [name: string, text: string])[] = [
  ['a file under another name', `${file('picture')}abc`],
  ['two files', `${file('file')}abc\r\n${file('file')}abc`],
  ['a file, then one under another name', `${file('file')}abc\r\n${file('picture')}abc`],
  ['a file without a name', `${part('file', '; filename')}abc`],
  ['a part without a name', `--b\r\ncontent-disposition: form-data\r\n\r\nabc`],
  ['a file without a field’s name', `--b\r\ncontent-disposition: form-data; filename="a"\r\n\r\nabc`],
  ['a head without an end', `--b\r\ncontent-disposition: form-data; name="a`],
  [
    'an octet stream',
    `--b\r\ncontent-disposition: form-data; name="file"\r\ncontent-type: application/octet-stream\r\n\r\nabc`,
  ],
  ['501 parameters', `${part('a')}b\r\n`.repeat(501)],
];

test.each(broken.flatMap(([name, text]) => ['upload', 'destroy'].map((action) => [name, action, text] as const)))(
  'a body that breaks off in %s does not end the process (%s)',
  async (_name, action, text) => {
    for (const tail of ['', '\r\n', '\r\n--b--\r\n']) {
      const flooding = await flood(action);
      await flooding.send(`${text}${tail}`);
      await vi.waitUntil(() => flooding.answer !== '', { timeout: 100 }).catch(() => {});
      flooding.end();
    }
    expect((await fetch(`${url}/v1_1/local/image/destroy`, { method: 'POST' })).status).toBe(401);
    expect(store.logs.filter(({ event }) => event !== 'ready')).toEqual([]);
  },
);

test('a JSON body that breaks off is the client’s error, not the store’s', async () => {
  const flooding = await flood('upload', 'application/json');
  await flooding.send('{"file": "data:');
  flooding.end();
  const next = await flood('upload', 'application/json');
  await next.send('{}');
  await next.send('');
  expect(await next.status()).toBe(400);
  next.end();
  expect(store.logs.filter(({ event }) => event !== 'ready')).toEqual([]);
});

test.each(['upload', 'destroy', 'explicit'])(
  'parameters without end are refused after two megabytes (%s)',
  async (action) => {
    const before = residentBytes(store.pid);
    const flooding = await flood(action);
    for (let field = 0; field < 400 && flooding.answer === ''; field += 1) {
      await flooding.send(`${part(`f${field}`)}${'x'.repeat(900_000)}\r\n`);
    }
    expect(await flooding.status()).toBe(400);
    expect(residentBytes(store.pid) - before).toBeLessThan(100 * megabyte);
    flooding.end();
  },
);

test('data URIs of unknown senders take a bounded memory together, and keep nobody’s parameters out', async (context) => {
  const before = residentBytes(store.pid);
  const floods = await Promise.all(Array.from({ length: 12 }, () => flood('upload')));
  await Promise.all(
    floods.map(async (flooding) => {
      await flooding.send(part('file'));
      for (let sent = 0; sent < 50; sent += 1) await flooding.send('y'.repeat(megabyte));
    }),
  );
  await vi.waitUntil(() => floods.filter(({ answer }) => answer !== '').length >= 6, { timeout: 20_000 });
  for (const { answer } of floods) expect(answer).toMatch(/^$|^HTTP\/1\.1 503 /);
  expect(floods.filter(({ answer }) => answer === '').length, 'some of them are taken').toBeGreaterThan(1);
  expect(residentBytes(store.pid) - before).toBeLessThan(700 * megabyte);
  expect((await signedUpload()).status).toBe(200);
  for (const flooding of floods) flooding.end();
  countBadInputs(context, floods.length);
});

test('files of unknown senders take a bounded disk together, and keep nobody out who is known', async (context) => {
  const floods = await Promise.all(Array.from({ length: 20 }, () => flood('upload')));
  for (const flooding of floods) await flooding.send(`${part('file', '; filename="a.jpg"')}${'z'.repeat(70_000)}`);
  // A file may have 100 MiB, and all of theirs together a GiB.
  await vi.waitUntil(() => floods.filter(({ answer }) => answer !== '').length === 10, { timeout: 10_000 });
  for (const { answer } of floods) expect(answer).toMatch(/^$|^HTTP\/1\.1 503 /);
  expect((await signedUpload()).status).toBe(200);
  for (const flooding of floods) flooding.end();

  await vi.waitUntil(
    async () => {
      const next = await flood('upload');
      await next.send(`${part('file', '; filename="a.jpg"')}z\r\n--b--\r\n`);
      await next.send('');
      const status = await next.status();
      next.end();
      return status === 400;
    },
    { timeout: 10_000, interval: 100 },
  );
  countBadInputs(context, floods.length);
});

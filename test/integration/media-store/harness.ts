import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Parameters, signParameters } from '../../../src/cloudinary/signature.ts';
import { createMediaStore, type MediaStore } from '../../../src/media-store/media-store.ts';
import type { MediaStoreOptions } from '../../../src/media-store/options.ts';

export const cloudName = 'demo';
export const apiKey = '123456789012345';
export const apiSecret = 'embedded-secret';

export interface RunningStore extends MediaStore {
  readonly dir: string;
}

/** A directory of the test's own, gone afterwards. */
export async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lazyferry-store-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A store that listens on a free port and is closed when the test ends. */
export async function startStore(options: Partial<MediaStoreOptions> = {}): Promise<RunningStore> {
  const store = await openStore({ ...options, dir: options.dir ?? (await temporaryDirectory()) });
  onTestFinished(() => store.close());
  return store;
}

/** One for all tests of a file, which end it. */
export async function startSharedStore(): Promise<RunningStore & AsyncDisposable> {
  const store = await openStore({ dir: await mkdtemp(join(tmpdir(), 'lazyferry-store-')) });
  return Object.assign(store, {
    async [Symbol.asyncDispose]() {
      await store.close();
      await rm(store.dir, { recursive: true, force: true });
    },
  });
}

async function openStore(options: Partial<MediaStoreOptions> & { readonly dir: string }): Promise<RunningStore> {
  const store = await createMediaStore({ cloudName, apiKey, apiSecret, allowPrivateOrigins: true, ...options });
  await store.listen({ host: '127.0.0.1', port: 0 });
  return Object.assign(store, { dir: options.dir });
}

export interface RunningOrigin {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: readonly string[];
}

export async function startOrigin(answer: RequestListener): Promise<RunningOrigin> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of another program's format, looked into by each test.
  readonly body: any;
}

export type FormValue = string | Blob;

/** Posts a multipart form to the Upload API, as it is. */
export async function post(
  store: MediaStore,
  path: string,
  form: Readonly<Record<string, FormValue>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = new FormData();
  for (const [name, value] of Object.entries(form)) {
    if (value instanceof Blob) body.append(name, value, value instanceof File ? value.name : 'file');
    else body.append(name, value);
  }
  return readAnswer(await fetch(`${store.url}/v1_1/${cloudName}${path}`, { method: 'POST', body, headers }));
}

/** Adds key, timestamp and signature. */
export function signed(form: Readonly<Record<string, FormValue>>): Record<string, FormValue> {
  const stamped = { timestamp: String(Math.floor(Date.now() / 1000)), ...form };
  const signable = Object.fromEntries(Object.entries(stamped).filter(([, value]) => typeof value === 'string'));
  return { ...stamped, api_key: apiKey, signature: signParameters(signable as Parameters, apiSecret) };
}

/** A signed upload. */
export function upload(
  store: MediaStore,
  form: Readonly<Record<string, FormValue>>,
  path = '/image/upload',
): Promise<Answer> {
  return post(store, path, signed(form));
}

export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

const authorization = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`;

/** A call to the Admin API. */
export async function admin(
  store: MediaStore,
  method: string,
  path: string,
  form?: Readonly<Record<string, string>>,
): Promise<Answer> {
  return readAnswer(
    await fetch(`${store.url}/v1_1/${cloudName}${path}`, {
      method,
      headers: { authorization },
      ...(form !== undefined && { body: new URLSearchParams(form) }),
    }),
  );
}

// The examples of Cloudinary's upload guide, as a user types them.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signParameters } from '../../../src/cloudinary/signature.ts';
import { curl } from '../../support/command.ts';
import { admin, apiKey, apiSecret, startOrigin, startStore, temporaryDirectory } from './harness.ts';

const lake = join(import.meta.dirname, '../../../sample/media/photos/lake.jpg');

function signatureFields(parameters: Record<string, string>): string[] {
  const stamped = { ...parameters, timestamp: String(Math.floor(Date.now() / 1000)) };
  const fields = { ...stamped, api_key: apiKey, signature: signParameters(stamped, apiSecret) };
  return Object.entries(fields).flatMap(([name, value]) => ['-F', `${name}=${value}`]);
}

test('a local file with a signature', async () => {
  const store = await startStore();
  const fields = signatureFields({ public_id: 'hat', tags: 'a,b' });
  const { status, body } = await curl(`${store.url}/v1_1/demo/image/upload`, '-F', `file=@${lake}`, ...fields);
  expect(status).toBe(200);
  const { secure_url } = JSON.parse(body.toString());
  expect((await curl(secure_url)).body.equals(await readFile(lake))).toBe(true);
  expect((await curl(secure_url, '-r', '10-19')).body.equals((await readFile(lake)).subarray(10, 20))).toBe(true);
});

test('a remote file, urlencoded, with colors asked for', async () => {
  const origin = await startOrigin(async (_request, response) => void response.end(await readFile(lake)));
  const store = await startStore();
  const parameters = { public_id: 'wiki_shirt', colors: 'true', timestamp: String(Math.floor(Date.now() / 1000)) };
  const fields = {
    ...parameters,
    api_key: apiKey,
    signature: signParameters(parameters, apiSecret),
    file: `${origin.url}/shirt.jpg`,
  };
  const data = Object.entries(fields).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);
  const { status, body } = await curl(`${store.url}/v1_1/demo/image/upload`, ...data);
  expect(status).toBe(200);
  expect(JSON.parse(body.toString())).toMatchObject({ public_id: 'wiki_shirt', colors: expect.any(Array) });
});

test('an unsigned upload with a preset', async () => {
  const store = await startStore();
  await admin(store, 'POST', '/upload_presets', { name: 'unsigned_1', unsigned: 'true' });
  const { status } = await curl(
    `${store.url}/v1_1/demo/image/upload`,
    '-F',
    `file=@${lake}`,
    '-F',
    'upload_preset=unsigned_1',
  );
  expect(status).toBe(200);
});

test('key and secret in the URL', async () => {
  const store = await startStore();
  const url = store.url.replace('http://', `http://${apiKey}:${apiSecret}@`);
  expect((await curl(`${url}/v1_1/demo/auto/upload`, '-F', `file=@${lake}`)).status).toBe(200);
  expect((await curl(`${url}/v1_1/demo/resources/image`)).status).toBe(200);
});

test('a large file in chunks of 6 MB', async () => {
  const store = await startStore();
  const chunk = 6 * 2 ** 20;
  const total = 2 * chunk + 5;
  const dir = await temporaryDirectory();
  const answers: { done: boolean; bytes: number }[] = [];
  for (const [index, start] of [0, chunk, 2 * chunk].entries()) {
    const end = Math.min(start + chunk, total);
    const file = join(dir, `part-${index}`);
    await writeFile(file, Buffer.alloc(end - start, index + 1));
    const { body } = await curl(
      `${store.url}/v1_1/demo/raw/upload`,
      '-H',
      'X-Unique-Upload-Id: 1234',
      '-H',
      `Content-Range: bytes ${start}-${end - 1}/${end === total ? total : -1}`,
      '-F',
      `file=@${file}`,
      ...signatureFields({ public_id: 'my_large_video.bin' }),
    );
    answers.push(JSON.parse(body.toString()));
  }
  expect(answers.map(({ done }) => done)).toEqual([false, false, true]);
  expect(answers.at(-1)?.bytes).toBe(total);
});

test('a wrong request gets an error in JSON with a status that is not 200', async () => {
  const store = await startStore();
  const { status, body, headers } = await curl(`${store.url}/v1_1/demo/image/upload`, '-F', `file=@${lake}`);
  expect(status).toBe(400);
  expect(JSON.parse(body.toString())).toEqual({
    error: { message: 'Upload preset must be specified when using unsigned upload' },
  });
  expect(headers['x-cld-error']).toBe('Upload preset must be specified when using unsigned upload');
});

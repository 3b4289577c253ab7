import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { post, type RunningStore, readAnswer, signed, startOrigin, startStore, upload } from './harness.ts';

function message({ status, body }: Awaited<ReturnType<typeof post>>): [number, string] {
  return [status, body.error.message];
}

test('an upload without a file says which parameter is missing', async () => {
  const store = await startStore();
  expect(message(await upload(store, { public_id: 'a' }))).toEqual([400, 'Missing required parameter - file']);
});

test.each([
  ['no image', 'data:text/plain,hello', '/image/upload', 'Invalid image file'],
  [
    'the head of a PNG only',
    `data:image/png;base64,${Buffer.from('\x89PNG\r\n\x1a\n', 'latin1').toString('base64')}`,
    '/image/upload',
    'Invalid image file',
  ],
  ['no video', 'data:text/plain,hello', '/video/upload', 'Unsupported video format or file'],
  ['an empty file', 'data:,', '/raw/upload', 'Empty file'],
  ['a local path', '/etc/passwd', '/raw/upload', 'Unsupported source URL: /etc/passwd'],
  ['a file URL', 'file:///etc/passwd', '/raw/upload', 'Unsupported source URL: file:///etc/passwd'],
])('%s is refused in the words of Cloudinary', async (_name, file, path, expected) => {
  const store = await startStore();
  expect(message(await upload(store, { file }, path))).toEqual([400, expected]);
});

test('parameters that the store does not support are named, all of them', async () => {
  const store = await startStore();
  const [status, text] = message(
    await upload(store, { file: 'data:,x', ocr: 'adv_ocr', proxy: 'a', quality_analysis: '0' }),
  );
  expect(status).toBe(400);
  expect(text).toContain('ocr, proxy');
  expect(text).not.toContain('quality_analysis');
});

test.each([
  ['a?b'],
  ['a&b'],
  ['a#b'],
  ['a\\b'],
  ['a%b'],
  ['<a>'],
  ['/a'],
  ['a/'],
  [' a'],
  ['a//b'],
  ['a/../b'],
  ['../../etc/passwd'],
  ['v12/a'],
])('the public ID %j is refused', async (publicId) => {
  const store = await startStore();
  const [status, text] = message(await upload(store, { file: 'data:,x', public_id: publicId }, '/raw/upload'));
  expect(status).toBe(400);
  expect(text).toMatch(/^public_id \(/);
});

test('what the origin of a remote URL answers becomes Cloudinary’s text', async () => {
  const origin = await startOrigin((request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('some', () => response.destroy());
    } else if (request.url === '/reset') {
      request.socket.destroy();
    } else if (request.url === '/loop') {
      response.writeHead(302, { location: '/loop' }).end();
    } else {
      response.writeHead(Number(request.url?.slice(1))).end();
    }
  });
  const store = await startStore();
  const load = async (path: string) => message(await upload(store, { file: `${origin.url}${path}` }, '/raw/upload'));
  expect(await load('/404')).toEqual([404, `Resource not found - ${origin.url}/404`]);
  expect(await load('/403')).toEqual([400, `Error in loading ${origin.url}/403 - 403 Forbidden`]);
  expect(await load('/503')).toEqual([400, `Error in loading ${origin.url}/503 - 503 Service Unavailable`]);
  expect(await load('/cut')).toEqual([400, `Error in loading ${origin.url}/cut - partial download`]);
  expect(await load('/reset')).toEqual([400, `Error in loading ${origin.url}/reset - Server broke connection`]);
  expect(await load('/loop')).toEqual([400, `Error in loading ${origin.url}/loop - Too many redirects`]);
});

test('a remote URL in a private network is not contacted unless the options open it', async () => {
  const origin = await startOrigin((_request, response) => response.end('inside'));
  const closed = await startStore({ allowPrivateOrigins: false });
  const [status, text] = message(await upload(closed, { file: `${origin.url}/a` }, '/raw/upload'));
  expect(status).toBe(400);
  expect(text).toContain('127.0.0.1 is loopback');
  const partly = await startStore({ allowPrivateOrigins: [`${origin.url}/open/`] });
  expect((await upload(partly, { file: `${origin.url}/a` }, '/raw/upload')).status).toBe(400);
  expect((await upload(partly, { file: `${origin.url}/open/a` }, '/raw/upload')).status).toBe(200);
  expect(origin.requests).toEqual(['GET /open/a']);
});

test('a redirect into a private network that is not opened is not followed', async () => {
  const inside = await startOrigin((_request, response) => response.end('inside'));
  const outside = await startOrigin((_request, response) =>
    response.writeHead(302, { location: `${inside.url}/secret` }).end(),
  );
  const store = await startStore({ allowPrivateOrigins: [`${outside.url}/`] });
  expect((await upload(store, { file: `${outside.url}/a` }, '/raw/upload')).status).toBe(400);
  expect(inside.requests).toEqual([]);
});

test('user name and password of a remote URL go to the origin and into no message', async () => {
  const seen: (string | undefined)[] = [];
  const origin = await startOrigin((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(403).end();
  });
  const store = await startStore();
  const url = origin.url.replace('http://', 'http://user:pass%3Aword@');
  const answer = await upload(store, { file: `${url}/a` }, '/raw/upload');
  expect(seen).toEqual([`Basic ${Buffer.from('user:pass:word').toString('base64')}`]);
  expect(JSON.stringify(answer.body)).not.toContain('pass');
});

test('a file above the limit of its kind is refused with both numbers', async () => {
  const store = await startStore({ limits: { rawBytes: 10 } });
  expect(message(await upload(store, { file: new File(['x'.repeat(11)], 'a.txt') }, '/raw/upload'))).toEqual([
    400,
    'File size too large. Got 11. Maximum is 10.',
  ]);
});

test('a request above the limit for one request is answered 413 while it is still sent', async () => {
  const store = await startStore({ maxRequestBytes: 100_000 });
  const answer = await post(store, '/raw/upload', signed({ file: new File(['x'.repeat(1_000_000)], 'a.txt') }));
  expect(answer.status).toBe(413);
  const declared = await post(store, '/raw/upload', signed({ file: new File(['x'.repeat(3_000_000)], 'a.txt') }));
  expect(declared.status).toBe(413);
});

async function raw(store: RunningStore, request: string): Promise<string> {
  const socket = connect(Number(new URL(store.url).port), '127.0.0.1');
  // Not ended: Node drops the answer to a client that closes its half first.
  socket.write(request);
  return text(socket);
}

test.each([
  [
    'a multipart body without its end',
    'multipart/form-data; boundary=b',
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nhalf',
  ],
  ['a multipart body without a boundary', 'multipart/form-data', 'x'],
  ['JSON that is none', 'application/json', '{"a":'],
  ['a JSON list', 'application/json', '[]'],
])('%s is answered 400', async (_name, contentType, body) => {
  const store = await startStore();
  const answer = await raw(
    store,
    `POST /v1_1/demo/image/upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('{"error":{"message":"Malformed request body');
});

test('a multipart body with chunked transfer and no line break at its end is read, as the SDK sends it', async () => {
  const store = await startStore();
  const fields = { ...signed({}), file: 'data:,hello' };
  const body = `${Object.entries(fields)
    .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('')}--b--`;
  const answer = await raw(
    store,
    `POST /v1_1/demo/raw/upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

test('bytes without a file name are taken for a URL, as Cloudinary does', async () => {
  const store = await startStore();
  const body =
    '--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream\r\n\r\nbytes\r\n--b--\r\n';
  const answer = await readAnswer(
    await fetch(`${store.url}/v1_1/demo/raw/upload`, {
      method: 'POST',
      headers: {
        'content-type': 'multipart/form-data; boundary=b',
        authorization: `Basic ${Buffer.from('123456789012345:embedded-secret').toString('base64')}`,
      },
      body,
    }),
  );
  expect(message(answer)).toEqual([400, 'Unsupported source URL: bytes']);
});

test('an API call that the store does not know is named', async () => {
  const store = await startStore();
  const [status, text] = message(await post(store, '/image/explode', signed({ public_id: 'a' })));
  expect(status).toBe(404);
  expect(text).toContain('POST /image/explode');
});

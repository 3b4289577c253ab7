import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { type Step, startScriptedServer } from '../../support/scripted-server.ts';
import { bytesUpload, driverFor, failing, noLimits, rejection, result, streamOf, urlUpload } from './harness.ts';

const reset: Step = { raw: (request) => request.socket.resetAndDestroy() };
const silence: Step = { raw: (request) => request.resume() };

async function failureOf(steps: readonly Step[], more = {}): Promise<AssetFailure> {
  const server = await startScriptedServer(steps);
  const error = await rejection(driverFor(server, more).upload(urlUpload()));
  if (!(error instanceof AssetFailure)) throw error;
  return error;
}

describe('trouble between us and the store', () => {
  it('an upload that overwrites nothing is sent once more when the connection breaks under it', async () => {
    const server = await startScriptedServer([reset, result({ existing: true })]);
    await expect(driverFor(server).upload(urlUpload())).resolves.toMatchObject({ existing: true });
  });

  it('an upload that overwrites is not: it may have been done', async () => {
    const server = await startScriptedServer([reset, result()]);
    const error = await rejection(driverFor(server).upload(urlUpload({ options: { overwrite: true } })));
    expect(error).toMatchObject({ reason: 'store-unreachable' });
    expect(server.requests).toHaveLength(0);
  });

  it('bytes are read again for the second request', async () => {
    const content = Buffer.from('abc');
    const server = await startScriptedServer([noLimits, reset, result()]);
    await expect(driverFor(server).upload(bytesUpload(content))).resolves.toMatchObject({ bytes: 3 });
    const file = (await server.requests.at(-1)?.form())?.get('file');
    expect(file instanceof File && (await file.text())).toBe('abc');
  });

  it('bytes that cannot be read again do not hide that the connection broke', async () => {
    const server = await startScriptedServer([noLimits, reset, result()]);
    let opened = 0;
    const open = (): Readable => {
      opened += 1;
      return opened === 1 ? streamOf(Buffer.from('abc')) : failing(new AssetFailure('too-large', { detail: 'gone' }));
    };
    const upload = driverFor(server).upload(urlUpload({ source: { kind: 'bytes', filename: 'a', length: 3, open } }));
    expect(await rejection(upload)).toMatchObject({ reason: 'store-unreachable' });
    expect(opened).toBe(2);
  });

  it('a connection that breaks twice is a store that cannot be reached', async () => {
    expect(await failureOf([reset])).toMatchObject({ reason: 'store-unreachable', status: undefined });
  });

  it('silence ends at the timeout, and is not tried again: the store may be at work', async () => {
    let requests = 0;
    const counted: Step = {
      raw: (request) => {
        requests += 1;
        request.resume();
      },
    };
    const failure = await failureOf([counted], { timeoutMs: 60 });
    expect(failure).toMatchObject({ reason: 'store-unreachable', hint: expect.stringContaining('store.timeout') });
    expect(requests).toBe(1);
  });

  it('an answer that begins and does not end runs into the timeout too', async () => {
    const half: Step = {
      raw: (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"public_id":');
      },
    };
    expect(await failureOf([half], { timeoutMs: 60 })).toMatchObject({ reason: 'store-unreachable' });
  });

  it('an answer that breaks off is no answer', async () => {
    const broken: Step = {
      raw: (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{}', () => response.destroy());
      },
    };
    expect(await failureOf([broken])).toMatchObject({ reason: 'store-unreachable' });
  });

  it.each([
    ['an HTML page', '<html>Log in to the hotel Wi-Fi</html>'],
    ['nothing', ''],
    ['a JSON text', '"ok"'],
    ['a JSON list', '[]'],
    ['half of a JSON object', '{"public_id":"a"'],
  ])('%s under status 200 is not Cloudinary', async (_what, body) => {
    expect(await failureOf([{ body }])).toMatchObject({
      reason: 'store-unreachable',
      status: 200,
      hint: expect.stringContaining('upload_prefix'),
    });
  });

  it('an endless answer is not read into memory', async () => {
    const endless: Step = {
      raw: (_request, response) => {
        response.writeHead(200);
        response.on('drain', more);
        response.on('error', () => {});
        function more(): void {
          while (response.write(Buffer.alloc(65_536, ' ')));
        }
        more();
      },
    };
    expect(await failureOf([endless])).toMatchObject({
      reason: 'store-unreachable',
      message: expect.stringContaining('longer'),
    });
  });

  it('an early refusal is heard while the bytes are still being sent', async () => {
    const refusing: Step = {
      raw: (request, response) => {
        response.writeHead(401, { 'content-type': 'application/json', connection: 'close' });
        response.end('{"error":{"message":"Invalid Signature x. String to sign - \'\'."}}');
        request.resume();
      },
    };
    const server = await startScriptedServer([noLimits, refusing]);
    const error = await rejection(driverFor(server).upload(bytesUpload(Buffer.alloc(4_000_000))));
    expect(error).toMatchObject({ reason: 'store-auth', status: 401 });
  });

  it('a slow origin does not count as a slow store', async () => {
    const timeoutMs = 250;
    const server = await startScriptedServer([noLimits, result()]);
    const pieces = ['a', 'bc'];
    const source = new Readable({
      read() {
        setTimeout(() => this.push(pieces.shift() ?? null), 1.2 * timeoutMs);
      },
    });
    const upload = driverFor(server, { timeoutMs }).upload(
      urlUpload({ source: { kind: 'bytes', filename: 'a', length: 3, open: () => source } }),
    );
    await expect(upload).resolves.toBeDefined();
  });

  it('a certificate nobody vouches for is named', async () => {
    const tls = {
      cert: readFileSync(new URL('../../support/tls/localhost.cert.pem', import.meta.url)),
      key: readFileSync(new URL('../../support/tls/localhost.key.pem', import.meta.url)),
    };
    const server = await startScriptedServer([result()], tls);
    const error = await rejection(driverFor(server).upload(urlUpload()));
    expect(error).toMatchObject({
      reason: 'store-unreachable',
      message: expect.stringContaining('TLS'),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  it('a port where nobody listens, and a name that does not exist, are named', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    const port = typeof address === 'object' ? address?.port : undefined;
    const closed = driverFor({ url: `http://127.0.0.1:${port}` });
    expect(await rejection(closed.upload(urlUpload()))).toMatchObject({
      reason: 'store-unreachable',
      message: expect.stringContaining('refuses connections'),
    });
    const nowhere = driverFor({ url: 'http://store.invalid' });
    expect(await rejection(nowhere.ping())).toMatchObject({ reason: 'store-unreachable' });
  });

  it('what answers something else than HTTP cannot be reached', async () => {
    const server = createServer((socket) => socket.resume().end('220 files.test FTP\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const store = driverFor({ url: `http://127.0.0.1:${port}` });
    expect(await rejection(store.upload(urlUpload()))).toMatchObject({ reason: 'store-unreachable' });
  });

  it('a closed driver ends what is under way', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await startScriptedServer([{ raw: () => asked.resolve() }, silence]);
    const store = driverFor(server);
    const upload = rejection(store.upload(urlUpload()));
    await asked.promise;
    await store.close();
    expect(await upload).toMatchObject({ reason: 'store-unreachable' });
  });
});

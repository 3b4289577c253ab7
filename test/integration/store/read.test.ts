import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startHastyServer } from '../../support/hasty-server.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { driverFor, rejection } from './harness.ts';

const copy = {
  publicId: 'site/a',
  resourceType: 'image',
  deliveryType: 'upload',
  version: 1234,
  format: 'jpg',
} as const;

describe('reading a stored copy', () => {
  it('asks its versioned delivery URL, and hands range and conditions on', async () => {
    const server = await startScriptedServer([
      { status: 206, headers: { 'content-range': 'bytes 0-2/9', etag: '"x"', connection: 'keep-alive' }, body: 'abc' },
    ]);
    const read = await driverFor(server).open(copy, { range: 'bytes=0-2', conditions: { 'if-range': '"x"' } });
    expect(read.status).toBe(206);
    expect(read.headers).toMatchObject({ 'content-range': 'bytes 0-2/9', etag: '"x"' });
    expect(read.headers).not.toHaveProperty('connection');
    expect(await text(read.body)).toBe('abc');
    expect(server.requests[0]).toMatchObject({
      url: '/demo/image/upload/v1234/site/a.jpg',
      headers: { range: 'bytes=0-2', 'if-range': '"x"', 'accept-encoding': 'identity' },
    });
  });

  it('costs no byte where the store closes the connection before the reader has taken all', async () => {
    for (let size = 60_000; size <= 400_000; size += 20_000) {
      const content = Buffer.alloc(size, 'copy');
      await using server = await startHastyServer(content);
      const { body } = await driverFor(server).open(copy, {});
      await server.seen();
      expect((await buffer(body)).equals(content), `${size} bytes`).toBe(true);
    }
  });

  it.each([304, 416])('gives an answer %i back as it is', async (status) => {
    const server = await startScriptedServer([{ status }]);
    const read = await driverFor(server).open(copy, {});
    expect(read.status).toBe(status);
    read.body.resume();
  });

  it('signs the URL of a private copy', async () => {
    const server = await startScriptedServer([{ body: 'abc' }]);
    (await driverFor(server).open({ ...copy, deliveryType: 'private' }, {})).body.resume();
    expect(server.requests[0]?.url).toMatch(/^\/demo\/image\/private\/s--[\w-]{8}--\/v1234\/site\/a\.jpg$/);
  });

  it.each([
    [404, 'store-rejected'],
    [401, 'store-auth'],
    [423, 'store-unreachable'],
    [500, 'store-unreachable'],
  ])(
    'status %i is a failure with the reason of X-Cld-Error, and its picture of an error stays behind',
    async (status, reason) => {
      const headers = { 'content-type': 'image/gif', 'x-cld-error': 'Resource not found - site/a' };
      const server = await startScriptedServer([{ status, headers, body: 'GIF89a' }]);
      expect(await rejection(driverFor(server).open(copy, {}))).toMatchObject({
        reason,
        status,
        message: expect.stringContaining('Resource not found'),
      });
    },
  );

  it('any number of failures, however long their bodies, holds no connection up', async () => {
    const failures = Array.from({ length: 70 }, () => ({ status: 404, body: Buffer.alloc(1_000_000) }));
    const server = await startScriptedServer([...failures, { body: 'abc' }]);
    const store = driverFor(server);
    await Promise.all(failures.map(() => rejection(store.open(copy, {}))));
    expect(await text((await store.open(copy, {})).body)).toBe('abc');
  });

  it('fails when no answer comes in time, and rejects with the caller’s reason on an abort', async () => {
    const silent = await startScriptedServer([{ raw: () => {} }]);
    expect(await rejection(driverFor(silent, { timeoutMs: 60 }).open(copy, {}))).toMatchObject({
      reason: 'store-unreachable',
    });
    const abort = new AbortController();
    const server = await startScriptedServer([{ raw: () => abort.abort(new Error('enough')) }]);
    expect(await rejection(driverFor(server).open(copy, { signal: abort.signal }))).toMatchObject({
      message: 'enough',
    });
  });

  it('a body that breaks off fails its reader', async () => {
    const server = await startScriptedServer([
      {
        raw: (_request, response) => {
          response.writeHead(200, { 'content-length': '1000' });
          response.write('abc', () => response.destroy());
        },
      },
    ]);
    const read = await driverFor(server).open(copy, {});
    await expect(text(read.body)).rejects.toThrow();
  });
});

import { describe, expect, it } from 'vitest';
import { type ScriptedAnswer, startScriptedServer } from '../../support/scripted-server.ts';
import { apiKey, apiSecret, driverFor, rejection, result, stored, urlUpload } from './harness.ts';

const identity = { publicId: 'site/ü b,c', resourceType: 'image', deliveryType: 'private' } as const;
const notFound: ScriptedAnswer = { status: 404, body: { error: { message: 'Resource not found - site/a' } } };
const hour = 3_600_000;

describe('describe', () => {
  it('asks the Admin API, by HTTP Basic, never a delivery URL', async () => {
    const server = await startScriptedServer([
      result({ public_id: identity.publicId, type: 'private', signature: undefined }),
    ]);
    expect(await driverFor(server).describe(identity)).toEqual({ ...stored, ...identity });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'GET' });
    expect(request?.url).toBe('/v1_1/demo/resources/image/private/site%2F%C3%BC%20b%2Cc');
    expect(request?.headers.authorization).toBe(`Basic ${btoa(`${apiKey}:${apiSecret}`)}`);
  });

  it('knows what is not there, and what is only a placeholder of a deleted asset', async () => {
    const server = await startScriptedServer([notFound, result({ placeholder: true })]);
    const store = driverFor(server);
    expect(await store.describe(identity)).toBeUndefined();
    expect(await store.describe(identity)).toBeUndefined();
  });

  it('does not take the 404 of something else for "not stored"', async () => {
    for (const body of ['<html>404 nginx</html>', '{}', '']) {
      const server = await startScriptedServer([{ status: 404, body }]);
      expect(await rejection(driverFor(server).describe(identity))).toMatchObject({ reason: 'store-unreachable' });
    }
  });

  it('asks the Upload API for the digest where the Admin API does not tell it', async () => {
    const server = await startScriptedServer([result({ etag: undefined }), result()]);
    expect(await driverFor(server).describe({ ...identity, publicId: 'site/a' })).toEqual(stored);
    expect(server.requests[1]).toMatchObject({ method: 'POST', url: '/v1_1/demo/image/explicit' });
    expect((await server.requests[1]?.form())?.get('type')).toBe('private');
  });

  it('is asked again when the connection breaks under it', async () => {
    const server = await startScriptedServer([{ raw: (request) => request.socket.resetAndDestroy() }, result()]);
    await expect(driverFor(server).describe(identity)).resolves.toBeDefined();
  });

  it('says when to come back once the hourly calls are used up, and asks no more until then', async () => {
    let now = Date.parse('2026-11-24T16:40:00Z');
    const last = {
      ...result(),
      headers: {
        'x-featureratelimit-limit': '500',
        'x-featureratelimit-remaining': '0',
        'x-featureratelimit-reset': 'Tue, 24 Nov 2026 17:00:00 GMT',
      },
    };
    const server = await startScriptedServer([last, result()]);
    const store = driverFor(server, { now: () => now });
    await store.describe(identity);
    expect(await rejection(store.describe(identity))).toMatchObject({
      reason: 'store-rate-limited',
      retryAfterMs: hour / 3,
    });
    expect(server.requests).toHaveLength(1);
    now += hour / 3;
    await expect(store.describe(identity)).resolves.toBeDefined();
  });

  it('hears a 420 with the time to wait', async () => {
    const server = await startScriptedServer([
      { status: 420, headers: { 'retry-after': '60' }, body: { error: { message: 'Rate Limit Exceeded' } } },
    ]);
    expect(await rejection(driverFor(server).describe(identity))).toMatchObject({
      reason: 'store-rate-limited',
      retryAfterMs: 60_000,
    });
  });

  it('is not possible for an account that can only upload', async () => {
    const server = await startScriptedServer([result()]);
    const error = await rejection(driverFor(server, { url: 'cloudinary://demo' }).describe(identity));
    expect(error).toMatchObject({ reason: 'store-auth' });
    expect(server.requests).toHaveLength(0);
  });
});

describe('remove', () => {
  it('destroys by a signed request and takes the copy off the CDN', async () => {
    const server = await startScriptedServer([{ body: { result: 'ok' } }]);
    expect(await driverFor(server).remove(identity)).toBe(true);
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/v1_1/demo/image/destroy' });
    const form = await server.requests[0]?.form();
    expect([form?.get('public_id'), form?.get('type'), form?.get('invalidate')]).toEqual([
      identity.publicId,
      'private',
      '1',
    ]);
    expect(form?.get('signature')).toMatch(/^[0-9a-f]{40}$/);
  });

  it('says when there was nothing to remove', async () => {
    const server = await startScriptedServer([{ body: { result: 'not found' } }]);
    expect(await driverFor(server).remove(identity)).toBe(false);
  });
});

describe('ping', () => {
  it('passes when the account is known and fails when it is not', async () => {
    const good = await startScriptedServer([{ body: { status: 'ok' } }]);
    await expect(driverFor(good).ping()).resolves.toBeUndefined();
    expect(good.requests[0]?.url).toBe('/v1_1/demo/ping');

    const bad = await startScriptedServer([{ status: 401, body: { error: { message: 'unknown api_key' } } }]);
    expect(await rejection(driverFor(bad).ping())).toMatchObject({ reason: 'store-auth' });
  });

  it('passes when the hourly calls are used up: the store is busy, not gone', async () => {
    const server = await startScriptedServer([{ status: 420, body: { error: { message: 'Rate Limit Exceeded' } } }]);
    await expect(driverFor(server).ping()).resolves.toBeUndefined();
  });

  it('without credentials, passes when Cloudinary answers at all', async () => {
    const url = 'cloudinary://demo';
    const cloudinary = await startScriptedServer([{ status: 401, body: { error: { message: 'unknown api_key' } } }]);
    await expect(driverFor(cloudinary, { url }).ping()).resolves.toBeUndefined();
    const other = await startScriptedServer([{ status: 404, body: '<html>' }]);
    expect(await rejection(driverFor(other, { url }).ping())).toMatchObject({ reason: 'store-unreachable' });
  });
});

describe('an upload in the background', () => {
  const polling = { firstIntervalMs: 1, longestIntervalMs: 1, looks: 3 };
  const pending = {
    body: { status: 'pending', batch_id: 'b', resource_type: 'image', type: 'upload', public_id: 'site/a' },
  };
  const request = urlUpload({ options: { overwrite: false, async: true } });

  it('is done when the store has the asset', async () => {
    const server = await startScriptedServer([pending, notFound, result()]);
    expect(await driverFor(server, { polling }).upload(request)).toEqual({ ...stored, existing: false });
    expect((await server.requests[0]?.form())?.get('async')).toBe('1');
    expect(server.requests[2]?.url).toBe('/v1_1/demo/resources/image/upload/site%2Fa');
  });

  it('that replaces is done when the version has changed', async () => {
    const older = result({ version: 1_600_000_000 });
    const server = await startScriptedServer([older, pending, older, result()]);
    const overwriting = urlUpload({ options: { overwrite: true, async: true } });
    expect(await driverFor(server, { polling }).upload(overwriting)).toMatchObject({ version: stored.version });
  });

  it('is looked for under each type where the store has still to decide it', async () => {
    const server = await startScriptedServer([
      { body: { ...pending.body, resource_type: 'auto' } },
      notFound,
      notFound,
      result({ resource_type: 'raw' }),
    ]);
    expect(await driverFor(server, { polling }).upload(request)).toMatchObject({ resourceType: 'raw' });
    expect(server.requests.slice(1).map(({ url }) => url.split('/')[4])).toEqual(['image', 'video', 'raw']);
  });

  it('fails when it does not end, and ends when the caller aborts', async () => {
    const never = await startScriptedServer([pending, notFound]);
    expect(await rejection(driverFor(never, { polling }).upload(request))).toMatchObject({
      reason: 'store-unreachable',
    });
    expect(never.requests).toHaveLength(1 + polling.looks);

    const abort = new AbortController();
    const aborted = await startScriptedServer([
      () => {
        abort.abort(new Error('enough'));
        return pending;
      },
    ]);
    const slow = { firstIntervalMs: 60_000, longestIntervalMs: 60_000, looks: 3 };
    const upload = driverFor(aborted, { polling: slow }).upload({ ...request, signal: abort.signal });
    expect(await rejection(upload)).toMatchObject({ message: 'enough' });
  });
});

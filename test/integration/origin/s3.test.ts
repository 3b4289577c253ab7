import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { createS3Origin, type S3OriginOptions } from '../../../src/origin/s3/s3-origin.ts';
import { failureOf } from '../../contract/origin.contract.ts';
import { type ChaosOrigin, startChaosOrigin } from '../../support/chaos-origin.ts';
import { patientNetwork } from '../../support/origin-network.ts';
import { refuseSignature } from '../../support/s3-signature.ts';

const account = { accessKeyId: 'AKIATEST', secretAccessKey: 'a/secret+key', region: 'eu-central-1' };

/** A server that checks each signature as S3 does. */
function startBucketServer(): Promise<ChaosOrigin> {
  return startChaosOrigin({
    admit: (request) => {
      const code = refuseSignature(request, account, new Date());
      return code && { kind: 'status', status: 403, body: `<Error><Code>${code}</Code></Error>` };
    },
  });
}

function openBucket(chaos: ChaosOrigin, auth: Partial<S3OriginOptions['auth']> | null = {}) {
  const origin = createS3Origin({
    origin: 's3://media/site/',
    network: patientNetwork,
    auth: auth === null ? null : { kind: 's3', ...account, endpoint: chaos.url, ...auth },
    userAgent: 'lazyferry/test',
  });
  return Object.assign(origin, { [Symbol.asyncDispose]: () => origin.close() });
}

describe('an S3 bucket', () => {
  test.each([
    'a b.jpg',
    "it's (1)!*.jpg",
    'a+b=c&d@e,f;g.jpg',
    'ü/日本.jpg',
    '100%.jpg',
    'a//b.jpg',
    '~x.jpg',
    '(%29).jpg',
  ])('gives the object with the key %s', async (key) => {
    await using chaos = await startBucketServer();
    const escaped = encodeURIComponent(key)
      .replaceAll('%2F', '/')
      .replace(/[!'()*]/g, (character) => {
        return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
      });
    chaos.put(`/media/site/${escaped}`, 'picture');
    await using origin = openBucket(chaos);
    const opened = await origin.open({ url: `s3://media/site/${encodeURI(key)}` });
    expect(opened.status).toBe(200);
    expect((await buffer(opened.body)).toString()).toBe('picture');
  });

  test.each([
    ['another secret', { secretAccessKey: 'wrong' }],
    ['an unknown key', { accessKeyId: 'AKIAOTHER' }],
    ['another region', { region: 'us-west-2' }],
  ])('answers 403 to %s', async (_, auth) => {
    await using chaos = await startBucketServer();
    chaos.put('/media/site/a.jpg', 'picture');
    await using origin = openBucket(chaos, auth);
    const opened = await origin.open({ url: 's3://media/site/a.jpg' });
    expect(opened.status).toBe(403);
    opened.body.destroy();
  });

  test('signs every hop of a redirect within the service anew', async () => {
    await using chaos = await startBucketServer();
    chaos.put('/media/site/b.jpg', 'picture');
    chaos.set('/media/site/a.jpg', { kind: 'redirect', to: '/media/site/b.jpg', status: 307 });
    await using origin = openBucket(chaos);
    const { body } = await origin.open({ url: 's3://media/site/a.jpg' });
    expect((await buffer(body)).toString()).toBe('picture');
  });

  test('that does not exist is no missing object', async () => {
    await using chaos = await startChaosOrigin();
    chaos.set('/media/site/a.jpg', { kind: 'status', status: 404, body: '<Error><Code>NoSuchBucket</Code></Error>' });
    chaos.set('/media/site/b.jpg', { kind: 'status', status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' });
    await using origin = openBucket(chaos);
    expect(await failureOf(origin.open({ url: 's3://media/site/a.jpg' }))).toMatchObject({
      reason: 'origin-error',
      message: 'the bucket does not exist',
    });
    const missing = await origin.open({ url: 's3://media/site/b.jpg' });
    expect(missing.status).toBe(404);
    expect((await buffer(missing.body)).toString()).toContain('NoSuchKey');
  });

  test('hands on an error document of any length', async () => {
    await using chaos = await startChaosOrigin();
    const body = 'no '.repeat(100_000);
    chaos.set('/media/site/a.jpg', { kind: 'status', status: 404, body });
    await using origin = openBucket(chaos);
    const opened = await origin.open({ url: 's3://media/site/a.jpg' });
    expect((await buffer(opened.body)).toString()).toBe(body);
  });

  test.each([301, 400])('in another region says which, by %i', async (status) => {
    await using chaos = await startChaosOrigin();
    const headers = { 'x-amz-bucket-region': 'ap-south-1' };
    chaos.set('/media/site/a.jpg', { kind: 'status', status, headers, body: '<Error/>' });
    await using origin = openBucket(chaos);
    const request = { url: 's3://media/site/a.jpg' };
    expect(await failureOf(origin.open(request))).toMatchObject({ hint: 'set auth.region to ap-south-1' });
    expect(await failureOf(origin.describe(request))).toMatchObject({ hint: 'set auth.region to ap-south-1' });
  });

  test('is never asked for more than its objects: no query gets through', async () => {
    await using chaos = await startBucketServer();
    chaos.put('/media/site/a.jpg', 'picture');
    await using origin = openBucket(chaos);
    const { body } = await origin.open({ url: 's3://media/site/a.jpg?acl' });
    expect((await buffer(body)).toString()).toBe('picture');
    expect(chaos.requests[0]?.url).toBe('/media/site/a.jpg');
  });

  test('carries the session token of temporary keys', async () => {
    await using chaos = await startBucketServer();
    chaos.put('/media/site/a.jpg', 'picture');
    await using origin = openBucket(chaos, { sessionToken: 'temporary' });
    const { body, status } = await origin.open({ url: 's3://media/site/a.jpg' });
    body.destroy();
    expect(status).toBe(200);
    expect(chaos.requests[0]?.headers['x-amz-security-token']).toBe('temporary');
  });
});

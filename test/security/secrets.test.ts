import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChaosOrigin, startChaosOrigin } from '../support/chaos-origin.ts';
import { type LazyferryProcess, startLazyferry } from '../support/lazyferry-process.ts';
import { proxyConfig } from '../support/proxy-config.ts';
import { getRaw } from '../support/raw-http.ts';
import { type RecordingStore, startRecordingStore } from '../support/recording-store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

/** One for each place that takes a secret; none can be typed by chance, some must be escaped in a URL or in JSON. */
const secrets = {
  cloudinary: 'recording-store-secret',
  redis: 'redis-p@ss/w"rd-7f3a',
  basic: 'basic-p%ss&w rd-81bc',
  bearer: 'bearer-token-4d5e6f70',
  header: 'header-value-90ab12cd',
  s3: 's3+secret/key=34ef56ab',
  adminToken: 'admin-token-78cd90ef12ab',
  readToken: 'read-token-from-a-file-1b2c',
  signing: 'signing-key-of-32-characters-3c4d5e6f',
};

const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));

let folder: string;
let origin: ChaosOrigin;
let store: RecordingStore;
let redis: RedisServer;
let proxy: LazyferryProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-secrets-'));
  const file = join(folder, 'read-token');
  await writeFile(file, `${secrets.readToken}\n`);
  origin = await startChaosOrigin();
  redis = await startRedis();
  await redis.client.call('ACL', 'SETUSER', 'user', 'on', `>${secrets.redis}`, '~*', '&*', '+@all');
  store = await startRecordingStore(join(folder, 'store'));
  const base = { origin: `${origin.url}/base/`, network: { allowPrivate: true } };
  const reference = (name: string) => `\${${name}}`;
  const config = proxyConfig(
    {
      log: { level: 'debug' },
      store: { uploadPrefix: store.url, deliveryPrefix: store.url, timeout: '2s' },
      mappings: [
        { prefix: '/basic/', ...base, auth: { kind: 'basic', username: 'u', password: reference('PLANTED_BASIC') } },
        { prefix: '/bearer/', ...base, auth: { kind: 'bearer', token: reference('PLANTED_BEARER') } },
        {
          prefix: '/header/',
          ...base,
          auth: { kind: 'header', name: 'X-Api-Key', value: `Token ${reference('PLANTED_HEADER')}` },
          signedDelivery: { keys: [reference('PLANTED_SIGNING')] },
        },
        {
          prefix: '/s3/',
          origin: 's3://bucket/base/',
          network: { allowPrivate: true },
          auth: {
            kind: 's3',
            accessKeyId: 'AKIAEXAMPLE',
            secretAccessKey: reference('PLANTED_S3'),
            endpoint: origin.url,
          },
        },
      ],
    },
    { keep: true },
  );
  proxy = await startLazyferry({
    args: ['--config', config],
    entry: join(import.meta.dirname, 'fixtures/crashing-main.ts'),
    environment: {
      CLOUDINARY_URL: store.account,
      REDIS_URL: `redis://user:${encodeURIComponent(secrets.redis)}@127.0.0.1:${redis.port}/0`,
      PLANTED_REDIS: secrets.redis,
      PLANTED_BASIC: secrets.basic,
      PLANTED_BEARER: secrets.bearer,
      PLANTED_HEADER: secrets.header,
      PLANTED_S3: secrets.s3,
      PLANTED_SIGNING: secrets.signing,
      LAZYFERRY_ADMIN_TOKEN: secrets.adminToken,
      LAZYFERRY_ADMIN_READ_TOKEN_FILE: file,
    },
  });
});

afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await origin?.close();
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The secret in each form in which something could let it slip. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    ...[secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), secret.replaceAll('&', '&amp;')],
    ...[bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')],
    ...[Buffer.from(`u:${secret}`).toString('base64'), Buffer.from(`user:${secret}`).toString('base64')],
    ...[Buffer.from(`key:${secret}`).toString('base64'), encodeURIComponent(encodeURIComponent(secret))],
  ];
}

function expectNoSecret(text: string, where: string): void {
  for (const [place, secret] of Object.entries(secrets)) {
    for (const form of forms(secret)) {
      const at = text.indexOf(form);
      expect(at, `${where} shows the secret of ${place}: ${text.slice(Math.max(0, at - 100), at + 100)}`).toBe(-1);
    }
  }
}

const paths = ['/basic/', '/bearer/', '/header/', '/s3/'];

async function settled(prefix: string, name: string, how: 'stored' | 'not-stored'): Promise<void> {
  await proxy.logged(({ event, asset }) => {
    const { mapping, path } = (asset ?? {}) as { mapping?: string; path?: string };
    return event === how && mapping === prefix && path === name;
  });
}

/** Every answer of the delivery side, whatever the origin and the store do. */
async function drive(name: string): Promise<void> {
  for (const prefix of paths) {
    const answer = await getRaw(proxy.delivery, `${prefix}${name}`, 'Accept: application/json');
    expectNoSecret(answer.text, `${prefix}${name}`);
  }
}

test('the origin gets the credentials of its mapping, and only those', async () => {
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) {
    origin.put(`/base/${name}`, lake);
    origin.put(`/bucket/base/${name}`, lake);
  }
  await drive('a.jpg');
  for (const prefix of ['/basic/', '/bearer/', '/s3/']) await settled(prefix, 'a.jpg', 'stored');
  const sent = origin.requests.map(({ headers }) => headers.authorization ?? headers['x-api-key'] ?? '');
  expect(sent).toContain(`Basic ${Buffer.from(`u:${secrets.basic}`).toString('base64')}`);
  expect(sent).toContain(`Bearer ${secrets.bearer}`);
  expect(sent).toContain(`Token ${secrets.header}`);
  for (const headers of store.received) {
    const { authorization: _, ...others } = headers;
    expectNoSecret(JSON.stringify(others), 'a request to the store');
  }
});

test('no secret is in a log, an answer, a metric or a page, whatever fails and whatever an upstream echoes', async () => {
  const echo = Object.values(secrets).join(' ');
  origin.put('/base/page.jpg', `<html>${echo}`, { type: 'text/html' });
  origin.set('/base/denied.jpg', { kind: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } });
  origin.set('/base/broken.jpg', { kind: 'status', status: 500 });
  origin.set('/base/away.jpg', { kind: 'redirect', to: `http://u:p@127.0.0.1:1/` });
  origin.set('/base/reset.jpg', { kind: 'reset', after: 'head' });
  for (const name of ['denied.jpg', 'broken.jpg', 'away.jpg', 'reset.jpg', 'none.jpg', '%2e%2e/a', '?x'])
    await drive(name);
  store.intervene(() => ({
    kind: 'answer',
    status: 401,
    body: JSON.stringify({ error: { message: `Invalid Signature. String to sign - '${echo}'.` } }),
    headers: { 'x-cld-error': encodeURIComponent(echo) },
  }));
  await drive('b.jpg');
  await settled('/basic/', 'b.jpg', 'not-stored');

  const get = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${proxy.admin}${path}`, { redirect: 'manual', ...init });
    const head = JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie'));
    expectNoSecret(`${head}\n${await answer.text()}`, `${init.method ?? 'GET'} ${path}`);
    return answer.status;
  };
  const operate = { headers: { authorization: `Bearer ${secrets.adminToken}`, 'content-type': 'application/json' } };
  const read = { headers: { authorization: `Bearer ${secrets.readToken}` } };
  const pages = ['/', '/metrics', '/healthz', '/readyz', '/api/config', '/api/mappings', '/api/status', '/api/tally'];
  const more = [
    '/api/overview',
    '/api/failures',
    '/api/jobs',
    '/api/recent',
    '/api/assets',
    '/api/runs',
    '/api/session',
  ];
  const known: number[] = [];
  for (const path of [...pages, ...more, '/api/explain?path=/basic/a.jpg', '/nowhere', '/api/nowhere']) {
    await get(path);
    await get(path, read);
    known.push(await get(path, operate));
  }
  expect(known.filter((status) => status === 200).length, 'the pages are really shown').toBeGreaterThan(5);
  for (const path of ['/api/retry', '/api/purge', '/api/tombstone']) {
    await get(path, { method: 'POST', ...operate, body: JSON.stringify({ path: '/basic/a.jpg' }) });
    await get(path, { method: 'POST', ...operate, body: '{' });
  }
  await get('/api/status', { headers: { authorization: `Bearer ${secrets.adminToken}x` } });

  // The ledger's password is changed under a running process.
  await redis.client.call('ACL', 'SETUSER', 'user', 'resetpass', '>another');
  await redis.client.call('CLIENT', 'KILL', 'USER', 'user');
  await drive('c.jpg');
  expect(await get('/readyz', operate)).toBe(200);
  await get('/api/overview', operate);
  expectNoSecret(proxy.output(), 'the log');
});

test('a secret that a reload replaced is kept out of log and pages too: requests may still be under way with it', async () => {
  const file = join(folder, 'rotated');
  const [old, fresh] = ['rotated-secret-of-yesterday', 'rotated-secret-of-today'];
  await writeFile(file, old);
  const config = proxyConfig({
    mappings: [
      {
        prefix: '/rotated/',
        origin: `${origin.url}/base/`,
        network: { allowPrivate: true },
        auth: { kind: 'bearer', token: `\${ROTATED}` },
      },
    ],
  });
  await using other = await startLazyferry({ args: ['--config', config], environment: { ROTATED_FILE: file } });
  await writeFile(file, fresh);
  other.signal('SIGHUP');
  await other.logged(({ event }) => event === 'config-reloaded');
  for (const [index, secret] of [old, fresh].entries()) {
    origin.set(`/base/echo-${index}.jpg`, { kind: 'redirect', to: `http://elsewhere.example/${secret}` });
    await getRaw(other.delivery, `/rotated/echo-${index}.jpg`);
    await other.logged(({ event, asset }) => {
      return event === 'not-stored' && (asset as { path: string }).path === `echo-${index}.jpg`;
    });
  }
  const listed = await (await fetch(`${other.admin}/api/assets`)).text();
  expect(listed).toContain('http://elsewhere.example/[redacted]');
  for (const secret of [old, fresh]) expect(other.output() + listed).not.toContain(secret);
});

test('no secret is in what a crash leaves behind', async () => {
  proxy.signal('SIGWINCH');
  await proxy.logged(({ event }) => event === 'unhandled-rejection');
  proxy.signal('SIGUSR2');
  const { code } = await proxy.exited;
  expect(code).toBe(1);
  expect(proxy.output()).toContain('an exception with');
  expectNoSecret(proxy.output(), 'the log of the crash');
});

import { connect } from 'node:net';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AdminFixture, keyOf, operateToken, put, readToken, startAdmin, stored } from '../../support/admin.ts';

let admin: AdminFixture;

beforeEach(async () => {
  admin = await startAdmin();
  await put(admin.ledger, '/images/a.jpg', stored('/images/a.jpg', 1));
});
afterEach(() => admin.close());

const change = { path: '/images/a.jpg' };

function bearer(token: string) {
  return { authorization: `Bearer ${token}` };
}

async function untouched() {
  return (await admin.ledger.lookup(keyOf('/images/a.jpg')))?.state === 'stored';
}

async function logIn(token: string, headers: Record<string, string> = {}) {
  return await request(admin.url)
    .post('/login')
    .set({ 'x-lazyferry-request': '1', ...headers })
    .send({ token });
}

/** The cookie as a browser sends it back. */
function cookieOf(response: request.Response): string {
  return String(response.headers['set-cookie']?.[0]).split(';')[0] ?? '';
}

describe('without a token', () => {
  const routes = [
    ...['overview', 'status', 'session', 'tally', 'failures', 'jobs', 'recent', 'mappings', 'config', 'runs'],
    ...['assets', 'explain?path=/images/a.jpg', 'no-such-route'],
  ].map((path) => ['get', `/api/${path}`] as const);
  const changes = ['retry', 'purge', 'tombstone', 'runs/1/stop'].map((path) => ['post', `/api/${path}`] as const);

  test.each([...routes, ...changes, ['get', '/metrics'], ['get', '/no-such-page']] as const)(
    '%s %s is refused and says what is needed',
    async (method, path) => {
      const response = await request(admin.url)[method](path).set('x-lazyferry-request', '1');
      expect(response.status).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer realm="lazyferry admin"');
      expect(response.body.error.message).toContain('Authorization: Bearer TOKEN');
    },
  );

  test('the dashboard’s page and modules hold no facts of the migration', async () => {
    const page = await request(admin.url).get('/');
    expect(page.status).toBe(200);
    for (const fact of ['/images/', 'example.com', operateToken, readToken]) {
      // The search field's placeholder is the one path in it.
      expect(page.text.replaceAll(/placeholder="[^"]*"/g, '')).not.toContain(fact);
    }
  });
});

describe('on loopback with no tokens configured', () => {
  test('who can connect may do everything, with one header on each change', async () => {
    const open = await startAdmin({ token: undefined, readToken: undefined });
    try {
      expect((await request(open.url).get('/api/session')).body).toEqual({ role: 'operate', via: 'local' });
      const done = await request(open.url).post('/api/tombstone').set('x-lazyferry-request', '1').send(change);
      expect(done.status).toBe(200);
      expect(open.audited).toEqual([expect.objectContaining({ action: 'tombstone', by: 'operate by local' })]);
    } finally {
      await open.close();
    }
  });
});

describe('a token', () => {
  test.each([
    'wrong-token-0123456789',
    operateToken.slice(0, -1),
    `${operateToken}x`,
    operateToken.toUpperCase(),
    '',
    'x'.repeat(8_000),
  ])('that is wrong is refused (%#)', async (token) => {
    const response = await request(admin.url).get('/api/tally').set(bearer(token));
    expect(response.status).toBe(401);
    expect(JSON.stringify(response.body)).not.toContain(operateToken);
  });

  test('in a query, a cookie or Basic authentication counts for nothing', async () => {
    const inQuery = await request(admin.url).get(`/api/tally?token=${operateToken}&access_token=${operateToken}`);
    const inCookie = await request(admin.url).get('/api/tally').set('cookie', `lazyferry_session=${operateToken}`);
    const basic = Buffer.from(`admin:${operateToken}`).toString('base64');
    const inBasic = await request(admin.url).get('/api/tally').set('authorization', `Basic ${basic}`);
    expect([inQuery.status, inCookie.status, inBasic.status]).toEqual([401, 401, 401]);
  });

  test('with the role read changes nothing', async () => {
    for (const path of ['/api/retry', '/api/purge', '/api/tombstone', '/api/runs/1/stop']) {
      const response = await request(admin.url).post(path).set(bearer(readToken)).send(change);
      expect(response.status).toBe(403);
      expect(response.body.error.code).toBe('role-too-small');
    }
    expect(await untouched()).toBe(true);
  });

  test('can be guessed ten times a minute; then even the right one is refused, but sessions go on', async () => {
    const cookie = cookieOf(await logIn(readToken));
    for (let attempt = 0; attempt < 9; attempt += 1) {
      await request(admin.url)
        .get('/api/tally')
        .set(bearer(`wrong-${attempt}`));
    }
    expect((await logIn('wrong-at-the-login')).status).toBe(401);
    const right = await request(admin.url).get('/api/tally').set(bearer(operateToken));
    expect(right.status).toBe(429);
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(0);
    expect((await logIn(operateToken)).status).toBe(429);
    expect((await request(admin.url).get('/api/tally').set('cookie', cookie)).status).toBe(200);
    expect(admin.audited.filter(({ action }) => action === 'wrong-token')).toHaveLength(10);
    expect(JSON.stringify(admin.audited)).not.toContain('wrong-at-the-login');
  });
});

describe('a session', () => {
  test('comes from a token, and scripts and foreign pages never have it', async () => {
    const response = await logIn(operateToken);
    expect(response.body).toEqual({ role: 'operate' });
    const cookie = String(response.headers['set-cookie']?.[0]);
    expect(cookie).toContain('; HttpOnly');
    expect(cookie).toContain('; SameSite=Strict');
    expect(cookie).not.toContain('Secure');
    expect(cookie).not.toContain(operateToken);
  });

  test('is bound to https where the browser came by it', async () => {
    const cookie = String((await logIn(readToken, { origin: `https://${admin.host}` })).headers['set-cookie']?.[0]);
    expect(cookie).toContain('; Secure');
  });

  test('has the role of its token', async () => {
    const cookie = cookieOf(await logIn(readToken));
    expect((await request(admin.url).get('/api/session').set('cookie', cookie)).body).toEqual({
      role: 'read',
      via: 'session',
    });
    const refused = await request(admin.url)
      .post('/api/purge')
      .set({ cookie, 'x-lazyferry-request': '1' })
      .send(change);
    expect(refused.status).toBe(403);
    expect(await untouched()).toBe(true);
  });

  test('ends by logging out, also for whoever has a copy of its cookie', async () => {
    const cookie = cookieOf(await logIn(operateToken));
    expect((await request(admin.url).get('/api/session').set('cookie', cookie)).status).toBe(200);
    const response = await request(admin.url).delete('/login').set({ cookie, 'x-lazyferry-request': '1' });
    expect(response.status).toBe(204);
    expect(response.headers['set-cookie']?.[0]).toContain('lazyferry_session=; ');
    expect(admin.audited.at(-1)).toMatchObject({ action: 'logout', by: 'operate by session' });
    expect((await request(admin.url).get('/api/session').set('cookie', cookie)).status).toBe(401);
    const replayed = await request(admin.url)
      .post('/api/purge')
      .set({ cookie, 'x-lazyferry-request': '1' })
      .send(change);
    expect(replayed.status).toBe(401);
    expect(await untouched()).toBe(true);
  });
});

describe('a foreign page', () => {
  const foreign: [string, Record<string, string>][] = [
    ['another origin', { origin: 'https://evil.example' }],
    ['the null origin of a sandboxed frame', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:3000' }],
    ['a browser that says cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['a browser that says same-site', { 'sec-fetch-site': 'same-site' }],
  ];

  test.each(foreign)('of %s cannot use a session', async (_name, headers) => {
    const cookie = cookieOf(await logIn(operateToken));
    const all = { cookie, 'x-lazyferry-request': '1', ...headers };
    expect((await request(admin.url).post('/api/purge').set(all).send(change)).body.error.code).toBe('foreign-origin');
    expect((await request(admin.url).get('/api/tally').set(all)).status).toBe(403);
    expect(await untouched()).toBe(true);
  });

  test.each(foreign)('of %s cannot use an admin side without tokens', async (_name, headers) => {
    const open = await startAdmin({ token: undefined, readToken: undefined });
    try {
      const all = { 'x-lazyferry-request': '1', ...headers };
      expect((await request(open.url).post('/api/tombstone').set(all).send(change)).status).toBe(403);
      expect(await open.ledger.lookup(keyOf('/images/a.jpg'))).toBeUndefined();
    } finally {
      await open.close();
    }
  });

  test.each(foreign)('of %s cannot log its visitor in', async (_name, headers) => {
    const response = await logIn(operateToken, headers);
    expect(response.status).toBe(403);
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  test('cannot send the header that a change needs: a plain form is refused', async () => {
    const open = await startAdmin({ token: undefined, readToken: undefined });
    try {
      const form = await request(open.url).post('/api/tombstone').type('form').send(change);
      expect(form.status).toBe(403);
      expect(form.body.error.message).toContain('x-lazyferry-request: 1');
      const preflight = await request(open.url)
        .options('/api/tombstone')
        .set({ origin: 'https://evil.example', 'access-control-request-headers': 'x-lazyferry-request' });
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    } finally {
      await open.close();
    }
  });

  test('is told apart from the dashboard behind a proxy that ends TLS', async () => {
    await admin.close();
    admin = await startAdmin({ hosts: ['admin.example.com'] });
    const behind = { host: 'admin.example.com', origin: 'https://admin.example.com', 'sec-fetch-site': 'same-origin' };
    expect((await logIn(operateToken, behind)).status).toBe(200);
    expect((await logIn(operateToken, { ...behind, host: 'admin.example.com:443' })).status).toBe(200);
  });
});

describe('a host name', () => {
  async function status(host: string) {
    return (
      await request(admin.url)
        .get('/api/tally')
        .set({ ...bearer(readToken), host })
    ).status;
  }

  test.each([
    'evil.example',
    'evil.example:9090',
    '127.0.0.1.nip.io',
    'localhost.evil.example',
    'admin@127.0.0.1',
    '[::1',
    '',
  ])('that is not ours is refused, for it may be rebound (%j)', async (host) => {
    expect(await status(host)).toBe(421);
  });

  test.each([
    'localhost',
    'LocalHost:9090',
    'ferry.localhost',
    '127.0.0.1',
    '10.1.2.3:9090',
    '[::1]:9090',
    'localhost.',
  ])('that cannot be rebound is answered (%s)', async (host) => {
    expect(await status(host)).toBe(200);
  });

  test('of our own is answered once it is configured', async () => {
    await admin.close();
    admin = await startAdmin({ host: 'ferry-1.internal', hosts: ['admin.example.com'] });
    expect(await status('ferry-1.internal:9090')).toBe(200);
    expect(await status('Admin.Example.com')).toBe(200);
    expect(await status('example.com')).toBe(421);
  });

  test('protects the dashboard and the login too', async () => {
    expect((await request(admin.url).get('/').set('host', 'evil.example')).status).toBe(421);
    expect((await logIn(operateToken, { host: 'evil.example' })).status).toBe(421);
  });

  test('is needed: a request without one is refused', async () => {
    const answer = await raw('GET /api/tally HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 421 /);
  });
});

describe('headers of each answer', () => {
  test.each(['/', '/static/main.js', '/healthz', '/api/tally', '/no-such-page'])('%s', async (path) => {
    const { headers } = await request(admin.url).get(path);
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    const policy = String(headers['content-security-policy']);
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy.split(';')).toContain(directive);
    }
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });

  test('the page has no inline script, style or handler', async () => {
    const { text } = await request(admin.url).get('/');
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
  });

  test('answers of the API are never stored', async () => {
    const { headers } = await request(admin.url).get('/api/tally').set(bearer(readToken));
    expect(headers['cache-control']).toBe('no-store');
  });
});

describe('bad input', () => {
  function post(body: string, type = 'application/json') {
    return request(admin.url).post('/api/purge').set(bearer(operateToken)).type(type).send(body);
  }

  test.each([
    ['no JSON', '{"path": ', 400, 'bad-json'],
    ['a list', '[]', 400, 'bad-parameter'],
    ['nothing', '', 400, 'bad-parameter'],
    ['two targets', '{"path": "/images/a.jpg", "filter": {"mapping": "/images/"}}', 400, 'bad-parameter'],
    ['an unknown key', '{"path": "/images/a.jpg", "force": true}', 400, 'bad-parameter'],
    ['a key with a space', '{"key": {"mapping": "/images/", "path": "a b"}}', 400, 'bad-parameter'],
    ['a prototype', '{"__proto__": {"path": "/images/a.jpg"}}', 400, 'bad-parameter'],
    ['a huge body', `{"path": "/${'a'.repeat(20_000)}"}`, 413, 'body-too-large'],
  ])('%s is refused by name', async (_name, body, status, code) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(response.body.error.code).toBe(code);
    expect(await untouched()).toBe(true);
    expect(admin.reported).toEqual([]);
  });

  test('a body of another type is not read', async () => {
    expect((await post('path=/images/a.jpg', 'application/x-www-form-urlencoded')).status).toBe(400);
    expect((await post('{"path": "/images/a.jpg"}', 'text/plain')).status).toBe(400);
    expect(await untouched()).toBe(true);
  });

  test.each(['/api/%', '/static/%2e%2e/dashboard.ts', '/static/..%2fpage.ts', '/static/../page.ts', '/static/.hidden'])(
    '%s tells nothing and breaks nothing',
    async (path) => {
      const answer = await raw(
        `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${operateToken}\r\nconnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).not.toMatch(/node_modules|\bat \w+ \(|pageHtml/);
      expect(admin.reported).toEqual([]);
    },
  );

  test.each(['put', 'delete', 'patch'] as const)('%s is answered with the methods there are', async (method) => {
    const response = await request(admin.url)[method]('/api/purge').set(bearer(operateToken));
    expect(response.status).toBe(405);
    expect(response.headers.allow).toBe('POST');
  });

  test('an error nobody expected tells its details to the log only', async () => {
    await admin.close();
    const secret = new Error('the password is swordfish');
    admin = await startAdmin({
      config: () => {
        throw secret;
      },
    });
    const response = await request(admin.url).get('/api/config').set(bearer(readToken));
    expect(response.status).toBe(500);
    expect(response.body.error).toEqual({
      code: 'internal',
      message: 'something went wrong here; the log has the details',
    });
    expect(admin.reported).toEqual([secret]);
  });
});

describe('the audit log', () => {
  test('has a line for each change: what, by whom, from where', async () => {
    const cookie = cookieOf(await logIn(operateToken));
    await request(admin.url).post('/api/tombstone').set(bearer(operateToken)).send(change);
    await request(admin.url).post('/api/purge').set({ cookie, 'x-lazyferry-request': '1' }).send(change);
    const filter = { mapping: '/images/' };
    await request(admin.url).post('/api/retry').set(bearer(operateToken)).send({ filter });
    const address = '127.0.0.1';
    expect(admin.audited).toEqual([
      { action: 'login', by: 'operate by token', address, outcome: 'done' },
      { action: 'tombstone', by: 'operate by token', address, target: '/images/a.jpg', outcome: 'done' },
      { action: 'purge', by: 'operate by session', address, target: '/images/a.jpg', outcome: 'done' },
      { action: 'retry', by: 'operate by token', address, target: filter, outcome: 'started' },
    ]);
  });
});

/** Sends bytes as they are, and collects the answer. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(admin.url).port), '127.0.0.1');
  socket.end(bytes);
  let answer = '';
  for await (const chunk of socket.setEncoding('latin1')) answer += chunk;
  return answer;
}

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { getRaw } from '../support/raw-http.ts';

const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));

/** Something on this machine that listens on every address and was never to be reached. */
const inside = createServer((socket) => socket.destroy());
let connections = 0;
inside.on('connection', () => {
  connections += 1;
});

/** Ways to write this machine, its network and what clouds keep beside it. */
const insideHosts = [
  ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.255.255.254', '0.0.0.0', '0', 'localhost'],
  ...['LOCALHOST', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]'],
  ...['[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fd00:ec2::254]'],
  ...['169.254.169.254', '[::ffff:169.254.169.254]', '100.100.100.200', '10.0.0.1', '192.168.0.1', '224.0.0.1'],
];
const hostile = '/hostile/';

let canary: Canary;

beforeAll(async () => {
  await new Promise<void>((resolve) => inside.listen(0, '::', resolve));
  const address = inside.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  canary = await startCanary([
    { prefix: hostile },
    ...insideHosts.map((host, index) => ({
      prefix: `/inside-${index}/`,
      origin: `http://${host}:${address.port}/`,
      network: { allowPrivate: false },
    })),
  ]);
});
afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
  await new Promise((resolve) => inside.close(resolve));
});

/** What became of the attempt to store the object. */
async function outcomeOf(mapping: string, path: string) {
  const line = await canary.proxy.logged(({ event, asset }) => {
    const key = (asset ?? {}) as { mapping?: string; path?: string };
    return (event === 'stored' || event === 'not-stored') && key.mapping === mapping && key.path === path;
  });
  return line.event === 'stored' ? 'stored' : line.reason;
}

test('a mapping reaches nothing inside of our network unless it says so, however its host is written', async (context) => {
  await inParallel([...insideHosts.entries()], async ([index, host]) => {
    const prefix = `/inside-${index}/`;
    expect((await getRaw(canary.proxy.delivery, `${prefix}a.jpg`)).status, host).toBe(502);
    expect(await outcomeOf(prefix, 'a.jpg'), host).toBe('origin-blocked');
  });
  expect(connections).toBe(0);
  countBadInputs(context, insideHosts.length);
});

test('an origin’s redirect leads neither us nor the client to another host, another scheme or our network', async (context) => {
  const { proxy, origin, stranger } = canary;
  const port = stranger.split(':')[1] ?? '';
  const locations = [
    ...[`http://${stranger}/a.jpg`, `//${stranger}/a.jpg`, `///${stranger}/a.jpg`, `\\\\${stranger}\\a.jpg`],
    ...[`/\\${stranger}/a.jpg`, `http:\\\\${stranger}\\a.jpg`, `HTTP://${stranger}/a.jpg`, `https://${stranger}/a.jpg`],
    ...[`http://user:password@${stranger}/a.jpg`, `http://${new URL(origin.url).host}@${stranger}/a.jpg`],
    ...[`\t//${stranger}/a.jpg`, `/\t/${stranger}/a.jpg`, `ftp://${stranger}/a.jpg`, `gopher://${stranger}/a.jpg`],
    ...insideHosts.map((host) => `http://${host}:${port}/a.jpg`),
    ...['file:///etc/passwd', 'javascript:alert(1)', 'data:image/png;base64,iVBORw0KGgo=', 'blob:null', 'about:blank'],
    ...['http://', 'http://[', 'http://a:99999/', ''],
  ];
  await inParallel([...locations.entries()], async ([index, to]) => {
    const path = `redirect-${index}.jpg`;
    origin.set(`/base/${path}`, { kind: 'redirect', to, status: [301, 302, 303, 307, 308][index % 5] ?? 302 });
    const answer = await getRaw(proxy.delivery, `${hostile}${path}`);
    expect(answer.status, to).toBe(502);
    expect(answer.headers, to).not.toHaveProperty('location');
    expect(await outcomeOf(hostile, path), to).toMatch(/^origin-(?:blocked|error)$/);
  });
  expect(canary.strangerConnections).toBe(0);
  expect(connections).toBe(0);
  countBadInputs(context, locations.length);
});

test('a chain of redirects without end costs a few requests', async (context) => {
  const { proxy, origin } = canary;
  for (let hop = 0; hop < 50; hop += 1) {
    origin.set(`/base/hop-${hop}.jpg`, { kind: 'redirect', to: `/base/hop-${hop + 1}.jpg` });
  }
  expect((await getRaw(proxy.delivery, `${hostile}hop-0.jpg`)).status).toBe(502);
  expect(await outcomeOf(hostile, 'hop-0.jpg')).toBe('origin-error');
  expect(origin.requests.filter(({ path }) => path.startsWith('/base/hop-')).length).toBeLessThan(20);
  countBadInputs(context, 1);
});

test('a redirect within the mapping’s own part of the origin is followed', async () => {
  const { proxy, origin } = canary;
  origin.put('/base/moved.jpg', lake);
  origin.set('/base/old.jpg', { kind: 'redirect', to: '/base/moved.jpg' });
  const { status, headers } = await getRaw(proxy.delivery, `${hostile}old.jpg`);
  expect({ status, length: headers['content-length'] }).toEqual({ status: 200, length: String(lake.length) });
  expect(await outcomeOf(hostile, 'old.jpg')).toBe('stored');
});

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Listener, listen } from '../../../src/server/listener.ts';
import { type Cdn, startNginxBalancer } from '../../support/cdn.ts';
import { type DistantLink, startDistantLink } from '../../support/distant-link.ts';
import { getRaw } from '../../support/raw-http.ts';

/** Each way between the balancer and us, in milliseconds. */
const distance = 400;

let listener: Listener;
let link: DistantLink;
let balancer: Cdn;

beforeEach(async () => {
  const address = { host: '127.0.0.1', port: 0 };
  listener = await listen((_, response) => response.end('ok'), address, { maxConnections: 1_000 });
  link = await startDistantLink(listener.url, distance);
  balancer = await startNginxBalancer(link.url);
});
afterEach(async () => {
  await balancer.close();
  await link[Symbol.asyncDispose]();
  await listener.close(0);
});

/** Statuses of that many requests at once. */
function ask(count: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: count }, async () => (await getRaw(balancer.url, '/')).status));
}

/** Requests of which the balancer sends the second half on connections that have rested a while. */
async function askAfterRest(): Promise<readonly number[]> {
  const first = await ask(20);
  await delay(600);
  return [...first, ...(await ask(20))];
}

test('a balancer whose connections rest loses no request at our edge', async () => {
  expect((await askAfterRest()).filter((status) => status !== 200)).toEqual([]);
});

test('it would, were our connections to rest for less than its own', async () => {
  // Node adds a second of its own: a connection ends 1,001 ms after its answer was sent. The balancer hears of it 400 ms
  // later, and what it sends until then meets a closed connection.
  listener.server.keepAliveTimeout = 1;
  expect(await askAfterRest()).toContain(502);
});

test('a connection that has had its share of requests ends without losing one', async () => {
  listener.server.maxRequestsPerSocket = 3;
  const statuses: number[] = [];
  for (let round = 0; round < 4; round += 1) statuses.push(...(await ask(4)));
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

test('a process that leaves ends its connections with an answer each, and loses no request', async () => {
  await ask(20);
  listener.leave();
  const last = await ask(40);
  expect(last.filter((status) => status !== 200)).toEqual([]);
  await expect.poll(() => openConnections(), { timeout: 5_000 }).toBe(0);
});

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

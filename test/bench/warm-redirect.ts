/**
 * Warm redirects per second: lazyferry against the two fastest things that could stand in its place, in the same run:
 * a raw `node:http` server that writes the same head, and nginx with `return 302`. One process each, 50 connections.
 * Answers are checked before anything is timed. `node test/bench/warm-redirect.ts [seconds]`
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { request } from 'undici';
import { startSampleOrigin } from '../../sample/origin.ts';
import { startNginxRedirect } from '../support/cdn.ts';
import { startLazyferry } from '../support/lazyferry-process.ts';

const seconds = Number(process.argv[2] ?? 10);
const folder = await mkdtemp(join(tmpdir(), 'lazyferry-bench-'));
const origin = await startSampleOrigin({ host: '127.0.0.1', port: 0 });
const config = join(folder, 'lazyferry.yaml');
const free = '127.0.0.1:0';
writeFileSync(
  config,
  JSON.stringify({
    listen: { delivery: free, admin: free },
    store: { embedded: { listen: free } },
    mappings: [{ prefix: '/media/', origin: origin.url, network: { allowPrivate: true } }],
  }),
);
const proxy = await startLazyferry({ args: ['--config', config] });
const path = '/media/photos/lake.jpg';
await (await request(`${proxy.delivery}${path}`)).body.dump();
await proxy.logged(({ event }) => event === 'stored');

const warm = await request(`${proxy.delivery}${path}`);
await warm.body.dump();
const location = String(warm.headers.location);
const { connection: _, 'keep-alive': __, date: ___, ...head } = warm.headers;
const raw = createServer((_request, response) => {
  response.writeHead(302, head as Record<string, string>);
  response.end();
});
raw.listen(0, '127.0.0.1');
await once(raw, 'listening');
const nginx = await startNginxRedirect(location);

const contenders = {
  'lazyferry, warm redirect': `${proxy.delivery}${path}`,
  'node:http, the same head': `http://127.0.0.1:${(raw.address() as AddressInfo).port}${path}`,
  'nginx, return 302': `${nginx.url}${path}`,
};
for (const [name, url] of Object.entries(contenders)) {
  const answer = await request(url);
  await answer.body.dump();
  if (answer.statusCode !== 302 || answer.headers.location !== location) throw new Error(`${name} answers wrongly`);
}

console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; 50 connections, ${seconds} s each`);
for (const round of [1, 2, 3]) {
  for (const [name, url] of Object.entries(contenders)) {
    const { requests, latency, non2xx, errors } = await autocannon({ url, connections: 50, duration: seconds });
    if (errors > 0 || non2xx !== requests.total) throw new Error(`${name}: ${errors} errors`);
    console.log(
      `round ${round}  ${name.padEnd(28)} ${Math.round(requests.average).toLocaleString('en')} requests/s, p99 ${latency.p99} ms`,
    );
  }
}
raw.close();
raw.closeAllConnections();
await nginx.close();
await proxy[Symbol.asyncDispose]();
await origin.close();
await rm(folder, { recursive: true, force: true });

/**
 * Cold throughput: so many pictures that nobody has asked for before, each asked for once, through lazyferry (which
 * copies each to the store meanwhile) and through nginx with `proxy_cache` (which keeps each in a file), from the same
 * origin, in the same run. Every body is compared with the origin's. `node test/bench/cold-throughput.ts [pictures]`
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { photo } from '../integration/first-request/scene.ts';
import { startNginx } from '../support/cdn.ts';
import { startLazyferry } from '../support/lazyferry-process.ts';

const pictures = Number(process.argv[2] ?? 2_000);
const connections = 20;
const folder = await mkdtemp(join(tmpdir(), 'lazyferry-bench-'));

/** Serves one photo under every name. */
const origin: Server = createServer((_request, response) => {
  response.writeHead(200, {
    'content-type': 'image/jpeg',
    'content-length': photo.length,
    'cache-control': 'public, max-age=3600',
  });
  response.end(photo);
});
await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
const originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;

const free = '127.0.0.1:0';
const config = join(folder, 'lazyferry.yaml');
writeFileSync(
  config,
  JSON.stringify({
    listen: { delivery: free, admin: free },
    store: { embedded: { listen: free } },
    mappings: [
      { prefix: '/', folder: 'bench', origin: originUrl, upload: { via: 'bytes' }, network: { allowPrivate: true } },
    ],
  }),
);
const proxy = await startLazyferry({ args: ['--config', config], dataDirectory: join(folder, 'data') });
const nginx = await startNginx(originUrl);

/** Asks for every picture of a round once; resolves with the times to the whole body, in milliseconds. */
async function askForAll(url: string, round: number): Promise<number[]> {
  const pool = new Pool(url, { connections });
  const times: number[] = [];
  let next = 0;
  const client = async () => {
    for (let index = next++; index < pictures; index = next++) {
      const startedAt = performance.now();
      const { statusCode, body } = await pool.request({ method: 'GET', path: `/${round}-${index}.jpg` });
      const bytes = Buffer.from(await body.arrayBuffer());
      if (statusCode !== 200 || !bytes.equals(photo)) throw new Error(`${url} answers wrongly: ${statusCode}`);
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  await pool.close();
  return times.sort((a, b) => a - b);
}

const stored = () => proxy.logs.filter(({ event }) => event === 'stored').length;

console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${pictures} pictures of ${photo.length} bytes, ${connections} connections; clients, origin, proxy and store share the machine`,
);
for (const round of [1, 2, 3]) {
  for (const [name, url] of [
    ['lazyferry, cold', proxy.delivery],
    ['nginx, proxy_cache', nginx.url],
  ] as const) {
    const startedAt = performance.now();
    const times = await askForAll(url, round);
    const seconds = (performance.now() - startedAt) / 1000;
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
    console.log(
      `round ${round}  ${name.padEnd(20)} ${Math.round(pictures / seconds).toLocaleString('en')} pictures/s, median ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    );
    if (url !== proxy.delivery) continue;
    let count = stored();
    await proxy.logged(({ event }) => event === 'stored' && ++count >= round * pictures);
    console.log(
      `         all ${pictures} copies proven ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the first request`,
    );
  }
}
await nginx.close();
await proxy[Symbol.asyncDispose]();
origin.close();
origin.closeAllConnections();
await rm(folder, { recursive: true, force: true });

/**
 * Memory of one process while 300 clients ask for 300 different cold objects of 50 MB at once. Prints the resident
 * memory before, at its peak, and after; every body is counted, and the peak must stay under the bound. `node test/bench/cold-memory.ts [clients] [megabytes]`
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { photo } from '../integration/first-request/scene.ts';
import { startLazyferry } from '../support/lazyferry-process.ts';

const clients = Number(process.argv[2] ?? 300);
const bytes = Number(process.argv[3] ?? 50) * 1_000_000;
/** What one process may need in all: 300 objects of 50 MB are 15 GB. */
const boundMegabytes = 700;
const folder = await mkdtemp(join(tmpdir(), 'lazyferry-bench-'));
const portion = Buffer.alloc(1 << 20, 7);

function* body(length: number): Generator<Buffer> {
  for (let sent = 0; sent < length; ) {
    const piece = (sent === 0 ? photo : portion).subarray(0, length - sent);
    sent += piece.length;
    yield piece;
  }
}

/** Sends a photo's beginning and then filling, as fast as it is taken. */
const origin: Server = createServer(async (request, response) => {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const length = range === null ? bytes : Number(range[2]) - Number(range[1]) + 1;
  response.writeHead(range === null ? 200 : 206, {
    'content-type': 'image/jpeg',
    'content-length': length,
    ...(range === null ? {} : { 'content-range': `bytes ${range[1]}-${range[2]}/${bytes}` }),
  });
  await pipeline(Readable.from(body(length)), response).catch(() => {});
});
await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));

const free = '127.0.0.1:0';
const config = join(folder, 'lazyferry.yaml');
writeFileSync(
  config,
  JSON.stringify({
    listen: { delivery: free, admin: free },
    store: { embedded: { listen: free } },
    mappings: [
      {
        prefix: '/',
        folder: 'bench',
        origin: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
        // Nothing of these types is stored: what is measured is the first request, not the store.
        allow: { types: ['video/*'] },
        network: { allowPrivate: true, connections: clients },
      },
    ],
  }),
);
const proxy = await startLazyferry({ args: ['--config', config], dataDirectory: join(folder, 'data') });

/** Resident memory in megabytes, now and at its highest. */
function memory(): { now: number; peak: number } {
  const status = readFileSync(`/proc/${proxy.pid}/status`, 'utf8');
  const field = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1000);
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

async function ask(index: number): Promise<number> {
  const request = get(`${proxy.delivery}/${index}.jpg`, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let received = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) received += piece.length;
  } catch (error) {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    // Our own reader of the log is the last to hear.
    const { error: why } = await proxy.logged(({ event }) => event === 'answer-cut');
    throw new Error(`client ${index} was cut after ${received} bytes and ${seconds} s: ${JSON.stringify(why)}`, {
      cause: error,
    });
  }
  return received;
}

const before = memory().now;
const startedAt = performance.now();
const received = await Promise.all(Array.from({ length: clients }, (_, index) => ask(index)));
const seconds = (performance.now() - startedAt) / 1000;
const { now, peak } = memory();
if (received.some((count) => count !== bytes)) throw new Error('a client did not get the whole');
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`);
console.log(
  `${clients} concurrent cold objects of ${bytes / 1e6} MB (${(clients * bytes) / 1e9} GB) in ${seconds.toFixed(1)} s: resident memory ${before} MB before, ${peak} MB at its peak, ${now} MB after; bound ${boundMegabytes} MB`,
);
await proxy[Symbol.asyncDispose]();
origin.close();
origin.closeAllConnections();
await rm(folder, { recursive: true, force: true });
if (peak > boundMegabytes) throw new Error(`more than ${boundMegabytes} MB`);

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { encodeAssetKey } from '../../../src/asset/key.ts';
import { assetKeyOf, assetOf } from '../../../src/delivery/asset-of.ts';
import { DirectReads } from '../../../src/delivery/direct-reads.ts';
import { passThrough } from '../../../src/delivery/pass-through.ts';
import { SharedReads } from '../../../src/origin/shared-read.ts';
import { mappingOf } from '../../support/mapping.ts';
import { type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { readAll } from '../../support/spool-readers.ts';

const content = Buffer.alloc(200_000, 'picture');
const mapping = mappingOf();
const asset = assetOf(mapping, assetKeyOf(mapping, '/images/a.jpg', ''));
const id = encodeAssetKey(asset.key);

let directory: string;
let reads: SharedReads;
let origin: ScriptedOrigin;
let server: Server;
/** Why answers broke off, as far as it was not the client's doing. */
let cuts: Error[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lazyferry-pass-'));
  reads = new SharedReads({ directory, memoryBytes: 50_000, maxBytes: 1_000_000 });
  cuts = [];
  origin = new ScriptedOrigin({ content, facts: { etag: '"one"' } });
  server = createServer((incoming, response) => {
    const asked = { transformation: '', format: undefined, unsigned: false, requestId: 'r-1' };
    const exchange = { request: incoming, response, mapping, asset, id, ...asked };
    void passThrough(
      { ...exchange, startedAt: performance.now() },
      { origin, reads, directReads: new DirectReads(), cut: (_, error) => cuts.push(error) },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  rmSync(directory, { recursive: true, force: true });
});

function script(changes: Partial<OriginScript>): void {
  origin.script = { ...origin.script, ...changes };
}

async function ask(options: RequestOptions = {}): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const client = request({ host: '127.0.0.1', port, path: '/images/a.jpg', agent: false, ...options }).end();
  return (await once(client, 'response'))[0] as IncomingMessage;
}

test('twenty cold clients get the origin’s bytes for one read of the origin', async () => {
  const going = Promise.withResolvers<void>();
  script({ stalls: going.promise });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask()));
  going.resolve();
  for (const answer of answers) expect((await readAll(answer)).equals(content)).toBe(true);
  expect(origin.opened).toHaveLength(1);
});

test('HEAD answers as GET would, without its body', async () => {
  const answer = await ask({ method: 'HEAD' });
  expect([answer.statusCode, answer.headers['content-length']]).toEqual([200, String(content.length)]);
  expect((await readAll(answer)).length).toBe(0);
});

test('who has the version already is answered 304, also to HEAD while others read', async () => {
  const going = Promise.withResolvers<void>();
  script({ stalls: going.promise });
  const reading = await ask();
  for (const method of ['GET', 'HEAD']) {
    expect((await ask({ method, headers: { 'if-none-match': '"one"' } })).statusCode).toBe(304);
  }
  going.resolve();
  expect((await readAll(reading)).equals(content)).toBe(true);
});

test('HEAD is answered also when the client that began the read leaves before the origin’s head is there', async () => {
  const head = Promise.withResolvers<void>();
  const read = reads.join(id, async (signal) => {
    await Promise.race([
      head.promise,
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ]);
    return origin.open({ url: asset.originUrl, signal });
  });
  const leave = read.hold();
  const arrived = once(server, 'request');
  const answering = ask({ method: 'HEAD' });
  await arrived;
  leave();
  head.resolve();
  expect((await answering).statusCode).toBe(200);
});

test('an origin that breaks off after the head cuts the answer, which never looks whole', async () => {
  script({ length: 'none', breaks: new AssetFailure('origin-truncated', { detail: 'cut off' }) });
  await expect(readAll(await ask())).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(cuts).toMatchObject([{ reason: 'origin-truncated' }]);
});

test.each([
  ['a whole object', {}],
  ['a range', { range: 'bytes=0-' }],
])('a client that leaves in the middle of %s is no answer that broke off', async (_, headers) => {
  const going = Promise.withResolvers<void>();
  script({ stalls: going.promise });
  const answered = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const answer = await ask({ headers });
  const [, response] = await answered;
  const over = once(response, 'close');
  answer.destroy();
  await over;
  going.resolve();
  expect(await readAll(await ask())).toEqual(content);
  expect(cuts).toEqual([]);
});

test.each([
  ['origin-timeout', 504],
  ['origin-error', 502],
  ['origin-blocked', 502],
] as const)('no answer from the origin (%s) is a %d that is not cached for long', async (reason, status) => {
  script({ fails: new AssetFailure(reason, { detail: 'secret detail' }) });
  const answer = await ask();
  expect(answer.statusCode).toBe(status);
  expect(answer.headers['x-lazyferry-reason']).toBe(reason);
  expect(String(await readAll(answer))).not.toContain('secret');
});

test('the origin’s own 404 is passed on', async () => {
  script({ status: 404, content: Buffer.from('no such picture') });
  const answer = await ask();
  expect([answer.statusCode, String(await readAll(answer))]).toEqual([404, 'no such picture']);
});

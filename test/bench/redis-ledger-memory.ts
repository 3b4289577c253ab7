import { createHash, randomBytes } from 'node:crypto';
import { encodeAssetKey } from '../../src/asset/key.ts';
import type { AssetRecord } from '../../src/asset/record.ts';
import { encodeCell } from '../../src/ledger/redis/cell-codec.ts';
import { bucketOf, layoutOf } from '../../src/ledger/redis/layout.ts';
import { tallyChanges } from '../../src/ledger/redis/tallies.ts';
import { startRedis } from '../support/redis-server.ts';

/**
 * How much memory the Redis ledger takes for one stored asset, and so for ten million. Writes real cells into a real
 * Redis and asks it. `node test/bench/redis-ledger-memory.ts [assets]`
 */
const assets = Number(process.argv[2] ?? 200_000);
const layout = layoutOf('lazyferry');
const server = await startRedis();

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await server.client.info('memory'))?.[1]);
}

function record(index: number): AssetRecord {
  const path = `products/${createHash('md5').update(String(index)).digest('hex').slice(0, 2)}/article-${index}-${['front', 'back', 'detail'][index % 3]}.jpg`;
  const storedAt = 1_764_000_000_000 + index * 1_037;
  return {
    key: { mapping: '/images/', path, query: '' },
    originUrl: `https://www.example.com/static/images/${path}`,
    state: 'stored',
    copy: {
      resourceType: 'image',
      deliveryType: 'upload',
      publicId: `site/images/${path.slice(0, -4)}`,
      version: Math.floor(storedAt / 1_000),
      format: 'jpg',
      bytes: 20_000 + ((index * 7_919) % 900_000),
      md5: randomBytes(16).toString('hex'),
      ...(index % 2 === 0 && { sha256: randomBytes(32).toString('hex') }),
      proof: index % 2 === 0 ? 'read' : 'length',
      storedAt,
    },
    origin: {
      bytes: 20_000 + ((index * 7_919) % 900_000),
      contentType: 'image/jpeg',
      etag: `"${randomBytes(6).toString('hex')}-${(index * 7_919).toString(16)}"`,
      lastModified: new Date(storedAt - 1e10).toUTCString(),
      cacheControl: 'max-age=86400',
    },
    createdAt: storedAt - 900,
    updatedAt: storedAt,
  };
}

const before = await usedMemory();
let keyBytes = 0;
let cellBytes = 0;
for (let start = 0; start < assets; start += 1_000) {
  const batch = server.client.pipeline();
  for (let index = start; index < Math.min(start + 1_000, assets); index += 1) {
    const stored = record(index);
    const field = encodeAssetKey(stored.key);
    const cell = encodeCell(field, { record: stored, token: stored.createdAt });
    const bucket = bucketOf(layout, field);
    batch.hset(bucket.assets, field, cell);
    const changes = tallyChanges(undefined, stored);
    for (let at = 0; at < changes.length; at += 2)
      batch.hincrby(bucket.tally, String(changes[at]), Number(changes[at + 1]));
    keyBytes += field.length;
    cellBytes += cell.length;
  }
  await batch.exec();
}
const perAsset = ((await usedMemory()) - before) / assets;
console.log(`assets            ${assets}`);
console.log(
  `key, cell         ${(keyBytes / assets).toFixed(0)} and ${(cellBytes / assets).toFixed(0)} bytes on average`,
);
console.log(`memory per asset  ${perAsset.toFixed(0)} bytes`);
console.log(`ten million       ${((perAsset * 1e7) / 1e9).toFixed(2)} GB`);
await server.stop();

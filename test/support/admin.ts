import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { createAdmin } from '../../src/admin/admin.ts';
import type { AuditEntry } from '../../src/admin/audit.ts';
import type { AdminDependencies, Explanation } from '../../src/admin/dependencies.ts';
import type { AssetKey } from '../../src/asset/key.ts';
import { configSchema, type Mapping } from '../../src/config/schema.ts';
import type { Ledger, Settlement } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/sqlite-ledger.ts';

export const operateToken = 'operate-token-0123456789';
export const readToken = 'read-token-0123456789';

const parsed = configSchema.parse({
  mappings: [
    { prefix: '/images/', origin: 'https://www.example.com/static/images/', folder: 'site/images' },
    {
      prefix: '/videos/',
      origin: 'https://media.example.com/',
      folder: 'site/videos',
      warm: 'stream',
      auth: { kind: 'basic', username: 'ferry', password: 'the-origins-password' },
      drift: { policy: 'refresh' },
    },
  ],
});
const mappings: readonly Mapping[] = parsed.mappings.map((mapping) => ({
  ...mapping,
  folder: mapping.folder ?? '',
}));

export interface AdminFixture {
  readonly url: string;
  readonly host: string;
  readonly ledger: Ledger;
  readonly audited: AuditEntry[];
  readonly reported: unknown[];
  /** Keys that were migrated, in order. */
  readonly migrated: AssetKey[];
  close(): Promise<void>;
}

/** The admin side on a free port of 127.0.0.1, over a real ledger in a temporary folder. */
export async function startAdmin(overrides: Partial<AdminDependencies> = {}): Promise<AdminFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'lazyferry-admin-'));
  const ledger = openSqliteLedger({ path: join(folder, 'ledger.db'), pollMs: 10 });
  const stop = new AbortController();
  const audited: AuditEntry[] = [];
  const reported: unknown[] = [];
  const migrated: AssetKey[] = [];
  const app = createAdmin({
    ledger,
    mappings: () => mappings,
    explain,
    copyUrl: ({ copy }) =>
      `https://res.cloudinary.com/demo/image/upload/v${copy.version}/${copy.publicId}.${copy.format}`,
    async migrate(key, redo) {
      migrated.push(key);
      const claimed = await ledger.claim({ key, originUrl: originUrlOf(key), owner: 'test', leaseMs: 60_000, redo });
      if (claimed.kind !== 'won') return claimed;
      await ledger.settle(claimed.claim, storedCopy(key, 4_321));
      return { kind: 'stored', record: (await ledger.lookup(key)) ?? claimed.record };
    },
    jobs: () => [],
    readiness: () => ({ ready: true, ledger: 'up', store: 'up', reasons: [] }),
    config: () => ({ store: { url: '[redacted]' } }),
    registry: new Registry(),
    audit: (entry) => void audited.push(entry),
    report: (error) => void reported.push(error),
    version: '1.2.3',
    host: '127.0.0.1',
    token: operateToken,
    readToken,
    signal: stop.signal,
    ...overrides,
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    ledger,
    audited,
    reported,
    migrated,
    async close() {
      stop.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await ledger.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export function keyOf(deliveryPath: string): AssetKey {
  const mapping = mappings.find(({ prefix }) => deliveryPath.startsWith(prefix));
  if (mapping === undefined) throw new Error(`no mapping for ${deliveryPath}`);
  return { mapping: mapping.prefix, path: deliveryPath.slice(mapping.prefix.length), query: '' };
}

/** Takes an asset through a claim to an outcome. */
export async function put(
  ledger: Ledger,
  deliveryPath: string,
  outcome: Settlement | 'claimed' | 'known',
): Promise<void> {
  const key = keyOf(deliveryPath);
  const claimed = await ledger.claim({ key, originUrl: originUrlOf(key), owner: 'web-1:77:ab', leaseMs: 60_000 });
  if (claimed.kind !== 'won') throw new Error(`${deliveryPath} cannot be claimed: ${claimed.kind}`);
  if (outcome === 'known') await ledger.release(claimed.claim);
  else if (outcome !== 'claimed') await ledger.settle(claimed.claim, outcome);
}

export function stored(deliveryPath: string, bytes: number, verifiedAt?: number): Settlement {
  return storedCopy(keyOf(deliveryPath), bytes, verifiedAt);
}

export function failed(reason: 'origin-timeout' | 'origin-denied' | 'wrong-type', detail: string): Settlement {
  return { state: 'failed', reason, detail, retryInMs: 3600_000 };
}

export const missing: Settlement = {
  state: 'missing',
  reason: 'origin-not-found',
  detail: 'the origin answered 404',
  retryInMs: 3600_000,
};

function storedCopy(key: AssetKey, bytes: number, verifiedAt?: number): Settlement {
  const [name = key.path, format = ''] = key.path.split('.');
  return {
    state: 'stored',
    copy: {
      resourceType: 'image',
      deliveryType: 'upload',
      publicId: `site${key.mapping}${name}`,
      version: 1_700_000_000,
      format,
      bytes,
      md5: 'd41d8cd98f00b204e9800998ecf8427e',
      proof: 'read',
      ...(verifiedAt !== undefined && { verifiedAt }),
    },
    origin: { bytes, contentType: 'image/jpeg', etag: '"abc"' },
  };
}

function originUrlOf(key: AssetKey): string {
  const mapping = mappings.find(({ prefix }) => prefix === key.mapping);
  return `${mapping?.origin ?? 'https://gone.example.com/'}${key.path}`;
}

function explain(path: string): Explanation {
  if (path.includes('/../')) return { kind: 'refused', detail: 'the path has a dot segment' };
  const [target = ''] = path.split('?');
  const mapping = mappings.find(({ prefix }) => target.startsWith(prefix));
  if (mapping === undefined) {
    return { kind: 'unmapped', detail: `no mapping fits ${target}; there are /images/ and /videos/` };
  }
  const key = keyOf(target);
  return { kind: 'mapped', key, originUrl: originUrlOf(key), publicId: `site/${target}`, resourceType: 'image' };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, test } from 'vitest';
import { openRedisLedger } from '../../../src/ledger/redis/redis-ledger.ts';
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { startRedis } from '../../support/redis-server.ts';
import { emptyModel, type Fleet, steps } from './claim-model.ts';

/** More than the default finds more; `LEDGER_MODEL_RUNS=5000` for a long look. */
const runs = Number(process.env.LEDGER_MODEL_RUNS ?? 60);

describe('whatever claimants do in whatever order, one at a time may upload and no stale one may settle', () => {
  const endings: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const end of endings) await end();
  });

  test('in SQLite, also when the clock jumps', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazyferry-model-'));
    endings.push(() => rm(folder, { recursive: true }));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps({ jump: () => {} }), async (commands) => {
        run += 1;
        let clock = 1_800_000_000_000;
        const open = () => openSqliteLedger({ path: join(folder, `${run}.db`), now: () => clock });
        const fleet: Fleet = {
          ledgers: [open(), open()],
          claims: [],
          jump: (ms) => {
            clock += ms;
          },
        };
        try {
          await fc.asyncModelRun(() => ({ model: emptyModel(), real: fleet }), commands);
        } finally {
          await Promise.all(fleet.ledgers.map((ledger) => ledger.close()));
        }
      }),
      { numRuns: runs, endOnFailure: false },
    );
  });

  test('in Redis, also when the ledger is lost', { timeout: 120_000 }, async () => {
    const server = await startRedis();
    const ledgers = [openRedisLedger({ url: server.url }), openRedisLedger({ url: server.url })] as const;
    endings.push(async () => {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
      await server.stop();
    });
    const lose = async () => void (await server.client.flushall());
    await fc.assert(
      fc.asyncProperty(steps({ lose }), async (commands) => {
        await lose();
        await fc.asyncModelRun(() => ({ model: emptyModel(), real: { ledgers, claims: [], lose } }), commands);
      }),
      { numRuns: runs, endOnFailure: false },
    );
  });
});

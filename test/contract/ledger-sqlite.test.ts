import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteLedger } from '../../src/ledger/sqlite/sqlite-ledger.ts';
import { describeLedger } from './ledger.contract.ts';

describeLedger('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lazyferry-ledger-'));
  const path = join(folder, 'ledger.db');
  let clock = Date.now();
  return {
    open: () => openSqliteLedger({ path, now: () => clock, pollMs: 5 }),
    async clear() {
      const database = new DatabaseSync(path, { timeout: 1_000 });
      database.exec('DELETE FROM assets');
      database.exec('DELETE FROM tally');
      database.exec('DELETE FROM fleet');
      database.close();
    },
    async pass(ms) {
      clock += ms;
    },
    close: () => rm(folder, { recursive: true }),
  };
});

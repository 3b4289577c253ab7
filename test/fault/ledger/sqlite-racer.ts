import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { keyOf, requestFor } from '../../contract/ledger-samples.ts';

/** Claims the same assets as every other racer, all at once; reports which it won. */
const [path = '', assets = ''] = process.argv.slice(2);
const ledger = openSqliteLedger({ path, lockWaitMs: 20_000 });
const names = Array.from({ length: Number(assets) }, (_, index) => `${index}.jpg`);
const results = await Promise.all(
  names.map((name) => ledger.claim(requestFor(keyOf(name), { owner: String(process.pid) }))),
);
process.send?.(names.filter((_, index) => results[index]?.kind === 'won'));
await ledger.close();
process.disconnect?.();

import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { keyOf, requestFor, storedAs } from '../../contract/ledger-samples.ts';

/** Stores assets until it is killed or the ledger refuses; reports how far it is each fifty, and the refusal. */
const [path = '', name = ''] = process.argv.slice(2);
const ledger = openSqliteLedger({ path });
let stored = 0;
try {
  for (;;) {
    const result = await ledger.claim(requestFor(keyOf(`${name}/${stored}.jpg`)));
    if (result.kind === 'won') await ledger.settle(result.claim, storedAs(`${name}/${stored}`));
    stored += 1;
    if (stored % 50 === 0) process.send?.({ stored });
  }
} catch (error) {
  const record = await ledger.lookup(keyOf(`${name}/0.jpg`));
  process.send?.({ stored, error: String(error), lookup: record?.state });
}
process.disconnect?.();

import type { Readiness } from '../admin/health.ts';

/** How long readiness believes its last look at the ledger. */
const ledgerLookMs = 1_000;
/** And at the store: each look is one of the account's Admin API calls, of which there may be 500 an hour. */
const storeLookMs = 60_000;

/** Rejects when what it stands for cannot be reached. */
interface Pinged {
  ping(): Promise<void>;
}

/**
 * Down means degraded, not unready: the origin answers, and no other process of the fleet could do better.
 *
 * @param notices what else holds uploads up, one sentence each
 */
export function createReadiness(
  ledger: Pinged,
  store: Pinged,
  notices: () => Promise<readonly string[]>,
): () => Promise<Readiness> {
  const lookAtLedger = atMostEvery(ledgerLookMs, () => ledger.ping());
  const lookAtStore = atMostEvery(storeLookMs, () => store.ping());
  return async () => {
    const [ledgerUp, storeUp, others] = await Promise.all([lookAtLedger(), lookAtStore(), notices()]);
    return {
      ready: true,
      ledger: ledgerUp ? 'up' : 'down',
      store: storeUp ? 'up' : 'down',
      reasons: [
        ...(ledgerUp
          ? []
          : ['the ledger cannot be reached: what memory does not know is served from the origin, uploads pause']),
        ...(storeUp ? [] : ['the store cannot be reached: uploads wait']),
        ...others,
      ],
    };
  };
}

/** Whether the ping succeeds, believed for a while. */
function atMostEvery(milliseconds: number, ping: () => Promise<void>): () => Promise<boolean> {
  let last: { readonly at: number; readonly up: Promise<boolean> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > milliseconds) {
      const up = ping().then(
        () => true,
        () => false,
      );
      last = { at: Date.now(), up };
    }
    return last.up;
  };
}

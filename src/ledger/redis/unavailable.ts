import { LedgerUnavailable } from '../ledger.ts';

/** What an operator can do about the errors of Redis that name themselves by a first word. */
const explanations: Readonly<Record<string, string>> = {
  OOM: 'is out of memory: raise maxmemory, with maxmemory-policy noeviction',
  READONLY: 'is a read-only replica: point the URL at the master, or at the Sentinels',
  MISCONF: 'cannot save to its disk and refuses to write',
  NOREPLICAS: 'has too few replicas in reach and refuses to write',
  BUSY: 'is busy with a long script',
  LOADING: 'is loading its data',
  MASTERDOWN: 'is a replica that has lost its master',
  CLUSTERDOWN: 'is a Cluster that is down: not every slot is served',
  TRYAGAIN: 'is a Cluster that is moving the slot',
  MOVED: 'is a Cluster that went on redirecting',
  ASK: 'is a Cluster that went on redirecting',
  NOAUTH: 'wants a password: put it into the URL',
  WRONGPASS: 'refused the user name or password',
  NOPERM: 'does not permit a command or a key to this user',
};

/** The first word of a Redis error, such as `OOM`. */
function redisCode(error: unknown): string | undefined {
  return error instanceof Error ? /^([A-Z]+)\b/.exec(error.message)?.[1] : undefined;
}

/** After these the connection leads to a server that is no longer the right one, or not yet: connect anew. */
export function needsReconnecting(error: Error): boolean {
  return ['READONLY', 'LOADING', 'MASTERDOWN'].includes(redisCode(error) ?? '');
}

/** The caller's own mistakes (`TypeError`) stay what they are. */
export function toUnavailable(error: unknown): LedgerUnavailable | TypeError {
  if (error instanceof LedgerUnavailable || error instanceof TypeError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const explanation = explanations[redisCode(error) ?? ''] ?? 'cannot be reached';
  return new LedgerUnavailable(`the ledger's Redis ${explanation} (${said})`, { cause: error });
}

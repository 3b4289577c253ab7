import { LedgerUnavailable } from '../ledger.ts';

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that an operator can do something about. */
const explanations: Readonly<Record<number, string>> = {
  5: 'is locked by another program: end it, or wait for its transaction',
  6: 'is locked by another program: end it, or wait for its transaction',
  8: 'cannot be written: make the file and its folder writable',
  10: 'cannot be read or written: check the disk under it',
  11: 'is damaged: restore it from a backup, or move it away to start with an empty one (the store is asked before anything is uploaded again)',
  13: 'cannot grow: the disk is full',
  14: 'cannot be opened: check that the path is a file this user may read and write',
  26: 'is not a SQLite database: name another file, or move this one away',
};

const busyCodes = new Set([5, 6]);
/** After these the connection itself is of no more use. */
const fatalCodes = new Set([10, 11, 14, 26]);

/** The primary result code of an error that SQLite raised. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

export function isBusy(error: unknown): boolean {
  return busyCodes.has(sqliteCode(error) ?? 0);
}

export function needsReopening(error: unknown): boolean {
  return fatalCodes.has(sqliteCode(error) ?? 0);
}

/** The caller's own mistakes (`TypeError`) stay what they are. */
export function toUnavailable(error: unknown, path: string): LedgerUnavailable | TypeError {
  if (error instanceof LedgerUnavailable || error instanceof TypeError) return error;
  const code = sqliteCode(error);
  const said = error instanceof Error ? error.message : String(error);
  const explanation = (code !== undefined && explanations[code]) || 'cannot be used';
  return new LedgerUnavailable(`the ledger ${path} ${explanation} (${said})`, { cause: error });
}

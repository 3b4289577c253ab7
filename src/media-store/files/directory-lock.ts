import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process (or another store in this one) works on the directory. */
class DirectoryInUse extends Error {
  override readonly name = 'DirectoryInUse';
  constructor(directory: string) {
    super(
      `the store directory ${directory} is in use by another process: stop that one, or give this one a directory of its own`,
    );
  }
}

/**
 * Takes a directory for this process alone. The lock is an SQLite transaction that never ends, because the operating
 * system drops it the moment the process dies, however it dies: no stale lock file can keep a restart out.
 *
 * @returns the way to give it back
 * @throws {DirectoryInUse}
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) throw new DirectoryInUse(directory);
    throw error;
  }
  return () => database.close();
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

import { DatabaseSync } from 'node:sqlite';

/**
 * The store's index. `synchronous = FULL`: what a response acknowledged is on disk.
 *
 * `pending` names blobs that are about to be renamed into place and are not in `assets` yet; after a crash these are
 * the only ones that can be orphans.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS assets (
    resource_type TEXT NOT NULL,
    delivery_type TEXT NOT NULL,
    public_id TEXT NOT NULL,
    asset_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (resource_type, delivery_type, public_id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS assets_by_blob ON assets (sha256);
  CREATE INDEX IF NOT EXISTS assets_by_asset_id ON assets (asset_id);
  CREATE TABLE IF NOT EXISTS pending (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS settings (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS derived (
    key TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    content_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS derived_by_source ON derived (source);
  CREATE INDEX IF NOT EXISTS derived_by_use ON derived (used_at);
  CREATE TABLE IF NOT EXISTS partial_uploads (
    id TEXT PRIMARY KEY,
    stretches TEXT NOT NULL,
    total INTEGER,
    result TEXT,
    touched_at INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000');
  database.exec(schema);
  return database;
}

/** Runs the work in one transaction: all of it happens or nothing. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

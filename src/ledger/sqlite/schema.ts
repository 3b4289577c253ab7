import type { DatabaseSync } from 'node:sqlite';
import { LedgerUnavailable } from '../ledger.ts';

/**
 * One entry per version of the schema, never edited once released: the file's `user_version` says how many have run.
 *
 * `assets.record` is the record as JSON, without its key; the columns beside it are what queries and the claim step
 * need: when the sweeper should look at it, since when it is idle. Counts are kept by triggers: a tally never scans ten million rows. `changes` is what the other processes of
 * this machine read for news; only its newest rows are kept. `fleet` has the duties with their holders, and the pause.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE assets (
    mapping TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    due INTEGER,
    token INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (mapping, path, query)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX assets_by_state ON assets (state, mapping, path, query);
  CREATE INDEX assets_by_reason ON assets (reason, mapping, path, query) WHERE reason IS NOT NULL;
  CREATE INDEX assets_by_due ON assets (due) WHERE due IS NOT NULL;

  CREATE TABLE tally (
    mapping TEXT NOT NULL,
    state TEXT NOT NULL,
    assets INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (mapping, state)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER assets_counted AFTER INSERT ON assets BEGIN
    INSERT INTO tally VALUES (new.mapping, new.state, 1, new.bytes)
      ON CONFLICT DO UPDATE SET assets = assets + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER assets_uncounted AFTER DELETE ON assets BEGIN
    UPDATE tally SET assets = assets - 1, bytes = bytes - old.bytes
      WHERE mapping = old.mapping AND state = old.state;
  END;
  CREATE TRIGGER assets_recounted AFTER UPDATE OF state, bytes ON assets
    WHEN old.state <> new.state OR old.bytes <> new.bytes BEGIN
    UPDATE tally SET assets = assets - 1, bytes = bytes - old.bytes
      WHERE mapping = old.mapping AND state = old.state;
    INSERT INTO tally VALUES (new.mapping, new.state, 1, new.bytes)
      ON CONFLICT DO UPDATE SET assets = assets + 1, bytes = bytes + excluded.bytes;
  END;

  CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL) STRICT;
  CREATE TRIGGER changes_trimmed AFTER INSERT ON changes BEGIN
    DELETE FROM changes WHERE sequence <= new.sequence - 10000;
  END;

  CREATE TABLE forgotten (newest_token INTEGER NOT NULL) STRICT;
  INSERT INTO forgotten VALUES (0);
  `,
  `
  CREATE TABLE fleet (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE assets ADD COLUMN idle INTEGER;
  UPDATE assets SET idle = json_extract(record, '$.updatedAt') WHERE state = 'missing';
  CREATE INDEX assets_by_idle ON assets (idle) WHERE idle IS NOT NULL;

  CREATE TABLE failure_tally (
    mapping TEXT NOT NULL,
    reason TEXT NOT NULL,
    assets INTEGER NOT NULL,
    PRIMARY KEY (mapping, reason)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO failure_tally
    SELECT mapping, reason, count(*) FROM assets
      WHERE reason IS NOT NULL AND state IN ('failed', 'missing') GROUP BY mapping, reason;
  CREATE TRIGGER failures_counted AFTER INSERT ON assets
    WHEN new.reason IS NOT NULL AND new.state IN ('failed', 'missing') BEGIN
    INSERT INTO failure_tally VALUES (new.mapping, new.reason, 1) ON CONFLICT DO UPDATE SET assets = assets + 1;
  END;
  CREATE TRIGGER failures_uncounted AFTER DELETE ON assets
    WHEN old.reason IS NOT NULL AND old.state IN ('failed', 'missing') BEGIN
    UPDATE failure_tally SET assets = assets - 1 WHERE mapping = old.mapping AND reason = old.reason;
  END;
  CREATE TRIGGER failures_recounted AFTER UPDATE OF state, reason ON assets
    WHEN old.state <> new.state OR old.reason IS NOT new.reason BEGIN
    UPDATE failure_tally SET assets = assets - 1
      WHERE mapping = old.mapping AND reason = old.reason AND old.state IN ('failed', 'missing');
    INSERT INTO failure_tally SELECT new.mapping, new.reason, 1
      WHERE new.reason IS NOT NULL AND new.state IN ('failed', 'missing')
      ON CONFLICT DO UPDATE SET assets = assets + 1;
  END;
  `,
];

/**
 * Brings the file to this version's schema. Several processes may try at once: the first one does it.
 * The version is looked at before anything is set: a file of a newer lazyferry stays untouched.
 *
 * @throws {LedgerUnavailable} when the file is of a newer lazyferry
 */
export function migrate(database: DatabaseSync, path: string): void {
  const version = readVersion(database, path);
  database.exec('PRAGMA journal_mode=WAL');
  if (version === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  const from = readVersion(database, path);
  for (const migration of migrations.slice(from)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
  database.exec('COMMIT');
}

function readVersion(database: DatabaseSync, path: string): number {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > migrations.length) {
    throw new LedgerUnavailable(
      `the ledger ${path} was written by a newer lazyferry (its schema is version ${version}, this one knows ${migrations.length}): run that version, or name another file`,
    );
  }
  return version;
}

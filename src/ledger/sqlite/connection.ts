import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { LedgerUnavailable } from '../ledger.ts';
import { migrate } from './schema.ts';
import { isBusy, needsReopening, toUnavailable } from './unavailable.ts';

/** SQLite waits inside a synchronous call, so this is how long a foreign lock may hold up the event loop at a time. */
const blockingWaitMs = 20;

export interface ConnectionOptions {
  readonly path: string;
  /** How long a step waits for a lock that somebody else holds. */
  readonly lockWaitMs: number;
}

/**
 * One connection to the file, opened when first needed and again after trouble: a file that is damaged or locked at
 * start is an error of each call, not of the process, and mending it needs no restart. The file is never deleted or
 * overwritten.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #statements = new Map<string, StatementSync>();
  #database: DatabaseSync | undefined;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** @throws {LedgerUnavailable} when the file cannot be used */
  async read<Result>(step: () => Result): Promise<Result> {
    return this.#patiently(step);
  }

  /**
   * Runs `step` in a transaction that is alone in writing, over every process of the machine.
   *
   * In WAL mode with `synchronous=NORMAL` a power cut may take the newest transactions, never the file's integrity.
   * What can be lost that way is work that can be repeated: the store is asked before an upload. What cannot be
   * repeated is written with `durably`.
   *
   * @throws {LedgerUnavailable} when the file cannot be used
   */
  async write<Result>(step: () => Result, durably = false): Promise<Result> {
    return this.#patiently((database) => {
      database.exec(durably ? 'PRAGMA synchronous=FULL' : 'PRAGMA synchronous=NORMAL');
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = step();
        database.exec('COMMIT');
        return result;
      } finally {
        if (database.isTransaction) database.exec('ROLLBACK');
      }
    });
  }

  /** A statement prepared once per connection. Only within a step. */
  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#open().prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  async #patiently<Result>(step: (database: DatabaseSync) => Result): Promise<Result> {
    const deadline = performance.now() + this.#options.lockWaitMs;
    for (;;) {
      try {
        return step(this.#open());
      } catch (error) {
        if (needsReopening(error)) this.#disconnect();
        if (!isBusy(error) || performance.now() >= deadline) throw toUnavailable(error, this.#options.path);
      }
      await delay(5 + Math.random() * 20);
    }
  }

  #open(): DatabaseSync {
    if (this.#closed) throw new LedgerUnavailable(`the ledger ${this.#options.path} is closed`);
    if (this.#database !== undefined) return this.#database;
    const { path } = this.#options;
    mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path, { timeout: blockingWaitMs });
    try {
      migrate(database, path);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  #disconnect(): void {
    this.#statements.clear();
    this.#database?.close();
    this.#database = undefined;
  }
}

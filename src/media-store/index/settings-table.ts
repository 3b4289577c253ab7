import type { DatabaseSync } from 'node:sqlite';

/** Named records of one kind: upload presets, upload mappings, named transformations. */
export class SettingsTable<T> {
  readonly #database: DatabaseSync;
  readonly #kind: string;

  constructor(database: DatabaseSync, kind: string) {
    this.#database = database;
    this.#kind = kind;
  }

  get(name: string): T | undefined {
    const row = this.#database.prepare('SELECT record FROM settings WHERE kind = ? AND name = ?').get(this.#kind, name);
    return row === undefined ? undefined : (JSON.parse(String(row.record)) as T);
  }

  /** By name; `after` is the last name of the page before. */
  list(limit = -1, after = ''): readonly T[] {
    return this.#database
      .prepare('SELECT record FROM settings WHERE kind = ? AND name > ? ORDER BY name LIMIT ?')
      .all(this.#kind, after, limit)
      .map((row) => JSON.parse(String(row.record)) as T);
  }

  /** False when the name is taken. */
  add(name: string, record: T): boolean {
    const { changes } = this.#database
      .prepare('INSERT OR IGNORE INTO settings (kind, name, record) VALUES (?, ?, ?)')
      .run(this.#kind, name, JSON.stringify(record));
    return Number(changes) > 0;
  }

  /** False when there is none of this name. */
  replace(name: string, record: T): boolean {
    const { changes } = this.#database
      .prepare('UPDATE settings SET record = ? WHERE kind = ? AND name = ?')
      .run(JSON.stringify(record), this.#kind, name);
    return Number(changes) > 0;
  }

  /** False when there was none. */
  remove(name: string): boolean {
    const { changes } = this.#database
      .prepare('DELETE FROM settings WHERE kind = ? AND name = ?')
      .run(this.#kind, name);
    return Number(changes) > 0;
  }
}

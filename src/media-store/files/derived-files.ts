import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { BlobStore } from './blob-store.ts';
import type { Staging } from './staging.ts';

export interface DerivedFile {
  readonly path: string;
  /** Names the content: what it was made of and how. */
  readonly key: string;
  readonly contentType: string;
  readonly bytes: number;
}

/**
 * Derived pictures on disk, by what they were made of. A cache: bounded, the least recently used goes first, and
 * everything in it can be made again.
 */
export class DerivedFiles {
  readonly #database: DatabaseSync;
  readonly #blobs: BlobStore;
  readonly #staging: Staging;
  readonly #limit: number;
  readonly #clock: () => number;

  private constructor(parts: DerivedFilesParts, blobs: BlobStore) {
    this.#database = parts.database;
    this.#staging = parts.staging;
    this.#limit = parts.limit;
    this.#clock = parts.clock;
    this.#blobs = blobs;
  }

  static async open(parts: DerivedFilesParts): Promise<DerivedFiles> {
    return new DerivedFiles(parts, await BlobStore.open(parts.directory));
  }

  static key(source: string, recipe: readonly unknown[]): string {
    return createHash('sha256')
      .update(JSON.stringify([source, ...recipe]))
      .digest('hex');
  }

  get(key: string): DerivedFile | undefined {
    const row = this.#database.prepare('SELECT content_type, bytes FROM derived WHERE key = ?').get(key);
    // Somebody may have cleaned the cache by hand.
    if (row === undefined || !existsSync(this.#blobs.path(key))) return undefined;
    this.#database.prepare('UPDATE derived SET used_at = ? WHERE key = ?').run(this.#clock(), key);
    return { key, path: this.#blobs.path(key), contentType: String(row.content_type), bytes: Number(row.bytes) };
  }

  async add(key: string, source: string, contentType: string, data: Buffer): Promise<DerivedFile> {
    const staged = await this.#staging.write(Readable.from([data]), data.length);
    await this.#blobs.adopt({ ...staged, sha256: key });
    this.#database
      .prepare('INSERT OR REPLACE INTO derived (key, source, content_type, bytes, used_at) VALUES (?, ?, ?, ?, ?)')
      .run(key, source, contentType, data.length, this.#clock());
    await this.#shrink(key);
    return { key, path: this.#blobs.path(key), contentType, bytes: data.length };
  }

  /** Forgets what was made of these bytes. */
  async removeOf(source: string): Promise<void> {
    for (const { key } of this.#database.prepare('SELECT key FROM derived WHERE source = ?').all(source)) {
      await this.#remove(String(key));
    }
  }

  async #shrink(keep: string): Promise<void> {
    const total = this.#database.prepare('SELECT coalesce(sum(bytes), 0) AS bytes FROM derived').get();
    let excess = Number(total?.bytes) - this.#limit;
    if (excess <= 0) return;
    const oldest = this.#database.prepare('SELECT key, bytes FROM derived WHERE key <> ? ORDER BY used_at').all(keep);
    for (const { key, bytes } of oldest) {
      await this.#remove(String(key));
      excess -= Number(bytes);
      if (excess <= 0) return;
    }
  }

  async #remove(key: string): Promise<void> {
    this.#database.prepare('DELETE FROM derived WHERE key = ?').run(key);
    await rm(this.#blobs.path(key), { force: true });
  }
}

export interface DerivedFilesParts {
  readonly directory: string;
  readonly database: DatabaseSync;
  readonly staging: Staging;
  /** Bytes to keep. */
  readonly limit: number;
  readonly clock: () => number;
}

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

/** A file takes blocks of the disk, however few bytes are in it: clients may ask for any number of tiny ones. */
const BLOCK = 4096;

/** Pictures looked at in one go when room is made. */
const BATCH = 100;

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
  /** Bytes of disk that they take. */
  #taken: number;

  private constructor(parts: DerivedFilesParts, blobs: BlobStore) {
    this.#database = parts.database;
    this.#staging = parts.staging;
    this.#limit = parts.limit;
    this.#clock = parts.clock;
    this.#blobs = blobs;
    const total = parts.database.prepare('SELECT coalesce(sum(max(bytes, ?)), 0) AS taken FROM derived').get(BLOCK);
    this.#taken = Number(total?.taken);
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
    this.#forget(key);
    this.#database
      .prepare('INSERT INTO derived (key, source, content_type, bytes, used_at) VALUES (?, ?, ?, ?, ?)')
      .run(key, source, contentType, data.length, this.#clock());
    this.#taken += Math.max(data.length, BLOCK);
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
    const oldest = this.#database.prepare('SELECT key FROM derived WHERE key <> ? ORDER BY used_at LIMIT ?');
    while (this.#taken > this.#limit) {
      const batch = oldest.all(keep, BATCH);
      if (batch.length === 0) return;
      for (const { key } of batch) {
        await this.#remove(String(key));
        if (this.#taken <= this.#limit) return;
      }
    }
  }

  async #remove(key: string): Promise<void> {
    this.#forget(key);
    await rm(this.#blobs.path(key), { force: true });
  }

  #forget(key: string): void {
    const row = this.#database.prepare('DELETE FROM derived WHERE key = ? RETURNING bytes').get(key);
    if (row !== undefined) this.#taken -= Math.max(Number(row.bytes), BLOCK);
  }
}

export interface DerivedFilesParts {
  readonly directory: string;
  readonly database: DatabaseSync;
  readonly staging: Staging;
  /** Bytes of disk to keep, in blocks. */
  readonly limit: number;
  readonly clock: () => number;
}

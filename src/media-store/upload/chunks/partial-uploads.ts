import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { StoreIdentity } from '../../../asset/record.ts';
import { KeyedMutex } from '../../files/keyed-mutex.ts';
import type { StoreOutcome } from '../../files/library.ts';
import type { StagedFile, Staging } from '../../files/staging.ts';
import { StoreError } from '../../store-error.ts';
import { addStretch, bytesIn, type ChunkRange, coversAll, type Stretch } from './content-range.ts';
import { copyInto } from './sparse-file.ts';

/** Every chunk but the last must have this many bytes (contract §3). */
const MIN_CHUNK = 5 * 2 ** 20;
/** Unfinished uploads kept at a time; the one that rested longest makes room. */
const MAX_PARTIALS = 1000;

export type ChunkOutcome =
  | { readonly kind: 'waiting'; readonly bytes: number }
  /** This was the chunk that made the file whole. */
  | { readonly kind: 'finished'; readonly outcome: StoreOutcome }
  /** The upload was finished before: the client did not see the answer. */
  | { readonly kind: 'finished-before'; readonly identity: StoreIdentity };

interface Partial {
  readonly stretches: readonly Stretch[];
  readonly total: number | undefined;
  readonly result: StoreIdentity | undefined;
}

/**
 * Uploads whose chunks are still arriving: in any order, repeated, over restarts of the store. Kept until whole, or
 * until nothing has come for the time to live.
 */
export class PartialUploads {
  readonly #directory: string;
  readonly #database: DatabaseSync;
  readonly #staging: Staging;
  readonly #ttl: number;
  readonly #clock: () => number;
  readonly #perUpload = new KeyedMutex();

  private constructor(parts: PartialUploadsParts) {
    this.#directory = parts.directory;
    this.#database = parts.database;
    this.#staging = parts.staging;
    this.#ttl = parts.ttl;
    this.#clock = parts.clock;
  }

  static async open(parts: PartialUploadsParts): Promise<PartialUploads> {
    await mkdir(parts.directory, { recursive: true, mode: 0o700 });
    const partials = new PartialUploads(parts);
    await partials.#dropWhatDoesNotMatch();
    await partials.sweep();
    return partials;
  }

  /**
   * Takes one chunk. The one that makes the file whole is answered when `finish` has stored the file; a repetition of
   * it, because the client lost the answer, waits for that and is told the same.
   *
   * @param uploadId the client's `X-Unique-Upload-Id`, with who it is: never part of a path
   * @throws {StoreError} 400 for a chunk that is not what its range says, or too small
   */
  async take(
    uploadId: string,
    range: ChunkRange,
    chunk: StagedFile,
    finish: (whole: StagedFile) => Promise<StoreOutcome>,
  ): Promise<ChunkOutcome> {
    requireFittingChunk(range, chunk);
    const id = createHash('sha256').update(uploadId).digest('hex');
    return this.#perUpload.run(id, async () => {
      const before = this.#find(id);
      if (before?.result !== undefined) return { kind: 'finished-before', identity: before.result };
      const total = range.total ?? before?.total;
      if (total !== undefined && (range.end > total || (before?.total ?? total) !== total)) {
        throw new StoreError(400, `Invalid Content-Range - the total was ${before?.total ?? total} before`);
      }
      await copyInto(this.#path(id), chunk.path, range.start);
      const stretches = addStretch(before?.stretches ?? [], [range.start, range.end]);
      this.#save(id, { stretches, total, result: undefined });
      if (total === undefined || !coversAll(stretches, total)) {
        await this.sweep();
        return { kind: 'waiting', bytes: bytesIn(stretches) };
      }
      return { kind: 'finished', outcome: await this.#finish(id, finish) };
    });
  }

  async #finish(id: string, finish: (whole: StagedFile) => Promise<StoreOutcome>): Promise<StoreOutcome> {
    const whole = await this.#staging.take(this.#path(id));
    this.#forget(id);
    const outcome = await finish(whole);
    const { resourceType, deliveryType, publicId } = outcome.asset;
    this.#save(id, { stretches: [], total: undefined, result: { resourceType, deliveryType, publicId } });
    return outcome;
  }

  /** Removes the uploads that rested for longer than the time to live, and the oldest where there are too many. */
  async sweep(): Promise<void> {
    for (const id of this.#stale()) {
      await this.#perUpload.run(id, async () => {
        // A chunk may have come while this waited for its turn.
        if (!this.#stale().includes(id)) return;
        this.#forget(id);
        await rm(this.#path(id), { force: true });
      });
    }
  }

  #stale(): readonly string[] {
    return this.#database
      .prepare(
        `SELECT id FROM partial_uploads WHERE touched_at < :oldest
         OR id NOT IN (SELECT id FROM partial_uploads ORDER BY touched_at DESC LIMIT :most)`,
      )
      .all({ oldest: this.#clock() - this.#ttl, most: MAX_PARTIALS })
      .map(({ id }) => String(id));
  }

  /** A crash may leave a file that is in no row, or a row whose file was moved on: neither can be continued. */
  async #dropWhatDoesNotMatch(): Promise<void> {
    const files = new Set(await readdir(this.#directory));
    const unfinished = this.#database.prepare('SELECT id FROM partial_uploads WHERE result IS NULL').all();
    for (const { id } of unfinished) if (!files.delete(String(id))) this.#forget(String(id));
    for (const name of files) await rm(join(this.#directory, name), { force: true });
  }

  #path(id: string): string {
    return join(this.#directory, id);
  }

  #find(id: string): Partial | undefined {
    const row = this.#database.prepare('SELECT stretches, total, result FROM partial_uploads WHERE id = ?').get(id);
    if (row === undefined) return undefined;
    return {
      stretches: JSON.parse(String(row.stretches)),
      total: row.total === null ? undefined : Number(row.total),
      result: row.result === null ? undefined : JSON.parse(String(row.result)),
    };
  }

  #save(id: string, { stretches, total, result }: Partial): void {
    this.#database
      .prepare(
        'INSERT OR REPLACE INTO partial_uploads (id, stretches, total, result, touched_at) VALUES (?, ?, ?, ?, ?)',
      )
      .run(id, JSON.stringify(stretches), total ?? null, result ? JSON.stringify(result) : null, this.#clock());
  }

  #forget(id: string): void {
    this.#database.prepare('DELETE FROM partial_uploads WHERE id = ?').run(id);
  }
}

export interface PartialUploadsParts {
  readonly directory: string;
  readonly database: DatabaseSync;
  readonly staging: Staging;
  readonly ttl: number;
  readonly clock: () => number;
}

function requireFittingChunk(range: ChunkRange, chunk: StagedFile): void {
  const promised = range.end - range.start;
  if (chunk.bytes !== promised) {
    throw new StoreError(400, `Invalid Content-Range - it promises ${promised} bytes, ${chunk.bytes} were sent`);
  }
  const isLast = range.end === range.total;
  if (!isLast && chunk.bytes < MIN_CHUNK) {
    throw new StoreError(400, 'All parts except EOF-chunk must be larger than 5mb');
  }
}

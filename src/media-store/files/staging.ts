import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Bytes on disk that nobody can see yet: whole, synced and hashed, under a temporary name. */
export interface StagedFile {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Lower-case hex. */
  readonly md5: string;
  readonly bytes: number;
}

/** The stream went past the limit. */
export class LimitExceeded extends Error {
  override readonly name = 'LimitExceeded';
  readonly limit: number;
  constructor(limit: number) {
    super(`more than ${limit} bytes`);
    this.limit = limit;
  }
}

/** Length and digests of what it was fed. */
class Digester {
  readonly #sha256 = createHash('sha256');
  readonly #md5 = createHash('md5');
  #bytes = 0;

  update(chunk: Buffer): number {
    this.#sha256.update(chunk);
    this.#md5.update(chunk);
    this.#bytes += chunk.length;
    return this.#bytes;
  }

  digests(): Omit<StagedFile, 'path'> {
    return { sha256: this.#sha256.digest('hex'), md5: this.#md5.digest('hex'), bytes: this.#bytes };
  }
}

/** Feeds the digester with what passes through; fails with {@link LimitExceeded} at the first byte too many. */
function digestingPass(digester: Digester, limit: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (digester.update(chunk) > limit) return done(new LimitExceeded(limit));
      done(null, chunk);
    },
  });
}

/**
 * The directory of temporary files. Nothing in it outlives the process: what a crash leaves is swept at the start.
 * Names are random, never a user's.
 */
export class Staging {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<Staging> {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new Staging(directory);
  }

  /** A name nobody uses, for a writer that fills the file itself. */
  temporaryPath(): string {
    return join(this.#directory, randomUUID());
  }

  /**
   * Streams the source to a temporary file and syncs it. On any failure no file stays.
   *
   * @throws {LimitExceeded} and whatever the source fails with
   */
  async write(source: Readable, limit: number, signal?: AbortSignal): Promise<StagedFile> {
    const path = this.temporaryPath();
    const digester = new Digester();
    try {
      const sink = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
      await pipeline(source, digestingPass(digester, limit), sink, signal === undefined ? {} : { signal });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { path, ...digester.digests() };
  }

  /** Takes over a whole, synced file from elsewhere on the same disk: moves it here and hashes it. */
  async take(foreign: string): Promise<StagedFile> {
    const path = this.temporaryPath();
    await rename(foreign, path);
    return this.seal(path);
  }

  /** Hashes a file that somebody else wrote and synced under a {@link temporaryPath}. */
  async seal(path: string): Promise<StagedFile> {
    const digester = new Digester();
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) digester.update(chunk);
    return { path, ...digester.digests() };
  }

  async discard(staged: { readonly path: string }): Promise<void> {
    await rm(staged.path, { force: true });
  }
}

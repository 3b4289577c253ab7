import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { OriginBody, OriginResponse } from './origin.ts';
import { Spool, type SpoolOptions } from './spool.ts';
import { withholdEnd } from './withhold-end.ts';

/** Bytes of reads that only jobs wait for; see {@link SharedReads.keep}. */
const mostKeptBytes = 64 << 20;

/** What a whole body was, once every byte of it has been read. */
export interface BodyDigest {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly md5: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** How long after its end a read may be joined by others than its job's clients. */
const joinableMs = 5_000;

/**
 * One read of an origin object that many clients and the upload share: they read the same bytes while these arrive.
 * A slow or vanished reader changes nothing for the others. When nobody is left the read is given up.
 */
export class SharedRead {
  /** The answer's head. Rejects with `AssetFailure` when the origin gave none. */
  readonly response: Promise<OriginResponse>;
  /** Resolves when the whole body has arrived; rejects with `AssetFailure` when it never will. */
  readonly digest: Promise<BodyDigest>;
  readonly #spool: Spool;
  readonly #abort = new AbortController();
  #holders = 0;
  #jobs = 0;
  #finishedAt: number | undefined;
  #over = false;
  #failure: Error | undefined;
  /** Nobody can join any more: it failed, or everybody has left. */
  readonly #onEnd: () => void;

  constructor(open: (signal: AbortSignal) => Promise<OriginBody>, spool: SpoolOptions, onEnd: () => void) {
    this.#spool = new Spool(spool);
    this.#onEnd = onEnd;
    const opened = open(this.#abort.signal);
    this.response = opened;
    this.digest = opened.then((origin) => this.#pump(withholdEnd(origin.body, origin.length)));
    // Whoever holds the read looks at these; when nobody does, a failure is nobody's news.
    this.response.catch(() => {});
    this.digest.then(
      () => this.#settle(),
      (error: Error) => {
        this.#failure = error;
        this.#spool.fail(error);
        this.#onEnd();
        this.#settle();
      },
    );
  }

  /** Bytes that have arrived. */
  get received(): number {
    return this.#spool.length;
  }

  /** Why the whole body will never be there; an `AssetFailure`, unless everybody has left. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Whether a newcomer may still join: while it arrives, while a job works with it, and a moment longer. After that the
   * origin may have a newer version, and somebody who reads on slowly must not keep the old one in service.
   */
  get joinable(): boolean {
    return this.#finishedAt === undefined || this.#jobs > 0 || performance.now() - this.#finishedAt < joinableMs;
  }

  get whole(): boolean {
    return this.#spool.ended;
  }

  /** A stream of the body from `start` to before `end`; undefined when a newcomer cannot have those bytes any more. */
  attach(start?: number, end?: number): Readable | undefined {
    const body = this.#spool.read(start, end);
    if (body !== undefined) body.once('close', this.hold());
    return body;
  }

  /** As `hold`, for a job whose upload depends on these bytes. */
  holdForJob(): () => void {
    this.#jobs += 1;
    const release = this.hold();
    return () => {
      this.#jobs -= 1;
      release();
    };
  }

  /** Keeps the read going until the returned function is called. */
  hold(): () => void {
    this.#holders += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      this.#settle();
    };
  }

  async #pump(body: AsyncIterable<Buffer>): Promise<BodyDigest> {
    const md5 = createHash('md5');
    const sha256 = createHash('sha256');
    for await (const chunk of body) {
      md5.update(chunk);
      sha256.update(chunk);
      await this.#spool.append(chunk);
    }
    this.#spool.end();
    this.#over = true;
    this.#finishedAt = performance.now();
    return { bytes: this.#spool.length, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
  }

  #settle(): void {
    if (this.#holders > 0) return;
    if (!this.#over) this.#abort.abort();
    this.#onEnd();
    void this.#spool.close();
  }
}

/** The shared reads of this process, at most one per asset. */
export class SharedReads {
  readonly #reads = new Map<string, SharedRead>();
  readonly #options: SpoolOptions;
  readonly #kept = new Set<SharedRead>();
  #keptBytes = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#reads.size;
  }

  /** The asset's read that is under way, if there is one. */
  current(key: string): SharedRead | undefined {
    const current = this.#reads.get(key);
    return current?.joinable === true ? current : undefined;
  }

  /**
   * Keeps what was read for a job that may still have to wait for its turn, so that it need not read the origin again.
   * Only so many bytes are kept in all: beyond, reading again is cheaper than what waits.
   *
   * @param bytes that the whole has
   */
  keep(read: SharedRead, bytes: number, job: Promise<unknown>): void {
    if (this.#kept.has(read) || this.#keptBytes + bytes > mostKeptBytes) return;
    const release = read.hold();
    this.#kept.add(read);
    this.#keptBytes += bytes;
    void job.finally(() => {
      this.#kept.delete(read);
      this.#keptBytes -= bytes;
      release();
    });
  }

  /** Joins the asset's read, or starts one. The caller must attach or hold in the same turn of the event loop. */
  join(key: string, open: (signal: AbortSignal) => Promise<OriginBody>): SharedRead {
    const current = this.#reads.get(key);
    if (current?.joinable === true) return current;
    const read = new SharedRead(open, this.#options, () => {
      if (this.#reads.get(key) === read) this.#reads.delete(key);
    });
    this.#reads.set(key, read);
    return read;
  }
}

import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ByteBudget } from './byte-budget.ts';

export interface SpoolOptions {
  /** Where the temporary file goes once the memory part is full. */
  readonly directory: string;
  /** Bytes kept in memory before the file is used. */
  readonly memoryBytes: number;
  /** Bytes kept at all. What comes after is only passed on to the readers that are there by then. */
  readonly maxBytes: number;
  /** Memory that all spools may use together; without limit unless told. */
  readonly memory?: ByteBudget;
  /** Disk that all spools may use together; without limit unless told. */
  readonly disk?: ByteBudget;
}

/** Bytes that wait for the slowest reader once nothing more is kept. */
const windowBytes = 1 << 20;
const fileReadBytes = 64 << 10;

/**
 * Bytes that arrive once and are read many times, by readers that come and go while they arrive. The beginning stays
 * in memory, the rest in a temporary file without a name, which the system removes even after a crash.
 *
 * Past `maxBytes`, or when the disk or its budget is full, nothing more is kept: readers that are there go on through a small
 * window (the writer then waits for the slowest of them), and `read` refuses new ones.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #memory: ByteBudget;
  readonly #disk: ByteBudget;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #window: Buffer[] | undefined;
  #windowStart = 0;
  #length = 0;
  #ended = false;
  #failure: Error | undefined;
  #closed = false;
  readonly #readers = new Set<SpoolReader>();
  #waiting: (() => void)[] = [];

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#memory = options.memory ?? new ByteBudget(Number.POSITIVE_INFINITY);
    this.#disk = options.disk ?? new ByteBudget(Number.POSITIVE_INFINITY);
  }

  /** Bytes that have arrived. */
  get length(): number {
    return this.#length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** False when the beginning is gone, so that a new reader could not have it all. */
  get complete(): boolean {
    return this.#window === undefined || this.#windowStart === this.#kept;
  }

  /** Bytes from the beginning on that memory and file hold. */
  get #kept(): number {
    return this.#headBytes + this.#fileBytes;
  }

  /** Takes the next bytes. Resolves when more may come. Never rejects: a full disk only ends the keeping. */
  async append(chunk: Buffer): Promise<void> {
    if (this.#closed) return;
    if (this.#window === undefined && this.#length + chunk.length <= this.#options.maxBytes) await this.#keep(chunk);
    else await this.#pass(chunk);
    // Closed meanwhile: a file that was just being opened must not stay open.
    if (this.#closed) await this.#closeFile();
    this.#progress();
  }

  end(): void {
    this.#ended = true;
    this.#progress();
  }

  /** Readers get what has arrived, then this error: they must never take it for the end. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#progress();
  }

  /** The bytes from `start` to before `end` (default: to the end of all); undefined when they are not kept any more. */
  read(start = 0, end = Number.POSITIVE_INFINITY): Readable | undefined {
    if (this.#closed || (!this.complete && start < this.#windowStart)) return undefined;
    const reader = new SpoolReader(this, start, end);
    this.#readers.add(reader);
    reader.once('close', () => {
      this.#readers.delete(reader);
      this.#progress();
    });
    return reader;
  }

  /** Gives memory and disk back. Readers that are left fail. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const reader of this.#readers) if (!reader.readableEnded) reader.destroy(new Error('the spool was closed'));
    this.#memory.give(this.#headBytes);
    this.#disk.give(this.#fileBytes);
    this.#head.length = 0;
    this.#window = undefined;
    this.#progress();
    await this.#closeFile();
  }

  /** For readers: the next bytes at `position`, at most up to `end`; undefined at the end of all. */
  async next(position: number, end: number): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#closed) throw new Error('the spool was closed');
      if (position < this.#length) return this.#slice(position, end);
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await this.#nextProgress();
    }
  }

  async #keep(chunk: Buffer): Promise<void> {
    const mayStayInMemory = this.#fileBytes === 0 && this.#headBytes + chunk.length <= this.#options.memoryBytes;
    if (mayStayInMemory && this.#memory.take(chunk.length)) {
      this.#head.push(chunk);
      this.#headBytes += chunk.length;
      this.#length += chunk.length;
      return;
    }
    if (!this.#disk.take(chunk.length)) return this.#pass(chunk);
    try {
      this.#file ??= await openNameless(this.#options.directory);
      await writeWhole(this.#file, chunk, this.#fileBytes);
    } catch {
      this.#disk.give(chunk.length);
      return this.#pass(chunk);
    }
    // What was closed meanwhile has given back what it had by then.
    if (this.#closed) return this.#disk.give(chunk.length);
    this.#fileBytes += chunk.length;
    this.#length += chunk.length;
  }

  async #pass(chunk: Buffer): Promise<void> {
    if (this.#window === undefined) {
      this.#window = [];
      this.#windowStart = this.#length;
    }
    this.#window.push(chunk);
    this.#length += chunk.length;
    this.#progress();
    while (!this.#closed && this.#readers.size > 0 && this.#length - this.#prune() > windowBytes) {
      await this.#nextProgress();
    }
    this.#prune();
  }

  /** Drops what every reader has read. Returns where the window begins then. */
  #prune(): number {
    const slowest = Math.min(this.#length, ...[...this.#readers].map((reader) => reader.needsFrom(this.#kept)));
    for (let first = this.#window?.[0]; first !== undefined; first = this.#window?.[0]) {
      if (this.#windowStart + first.length > slowest) break;
      this.#window?.shift();
      this.#windowStart += first.length;
    }
    return this.#windowStart;
  }

  async #slice(position: number, end: number): Promise<Buffer> {
    if (position < this.#headBytes) return sliceOf(this.#head, position, end);
    const inFile = position - this.#headBytes;
    if (inFile >= this.#fileBytes)
      return sliceOf(this.#window ?? [], position - this.#windowStart, end - this.#windowStart);
    const size = Math.min(fileReadBytes, this.#fileBytes - inFile, end - position);
    const { buffer, bytesRead } = await (this.#file as FileHandle).read(Buffer.allocUnsafe(size), 0, size, inFile);
    if (bytesRead === 0) throw new Error('the spool file is shorter than what was written to it');
    return buffer.subarray(0, bytesRead);
  }

  /** The file has no name and its bytes nobody needs any more: trouble with closing it is nobody's. */
  async #closeFile(): Promise<void> {
    await this.#file?.close().catch(() => {});
  }

  #nextProgress(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Called for every change a reader or the writer may wait for. */
  #progress(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** For readers: they have moved on, so the window may too. */
  moved(): void {
    if (this.#window !== undefined) this.#progress();
  }
}

class SpoolReader extends Readable {
  #position: number;
  readonly #spool: Spool;
  readonly #end: number;
  #reading = false;

  constructor(spool: Spool, start: number, end: number) {
    super({ highWaterMark: fileReadBytes });
    this.#spool = spool;
    this.#position = start;
    this.#end = end;
  }

  /** The first byte it has not taken yet; infinite where it wants none past `kept` any more. */
  needsFrom(kept: number): number {
    return this.#end <= kept || this.#position >= this.#end ? Number.POSITIVE_INFINITY : this.#position;
  }

  override _read(): void {
    if (this.#reading) return;
    if (this.#position >= this.#end) {
      this.push(null);
      return;
    }
    this.#reading = true;
    this.#spool.next(this.#position, this.#end).then(
      (chunk) => {
        this.#reading = false;
        if (this.destroyed) return;
        this.#position += chunk?.length ?? 0;
        this.push(chunk ?? null);
        this.#spool.moved();
      },
      (error: Error) => this.destroy(error),
    );
  }
}

/** The part of `chunks` from `offset` on that lies in one chunk, cut at `end`. */
function sliceOf(chunks: readonly Buffer[], offset: number, end: number): Buffer {
  let start = 0;
  for (const chunk of chunks) {
    if (offset < start + chunk.length) return chunk.subarray(offset - start, Math.min(chunk.length, end - start));
    start += chunk.length;
  }
  throw new RangeError('no such bytes in the spool');
}

async function openNameless(directory: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true });
  const name = join(directory, randomUUID());
  const file = await open(name, 'wx+', 0o600);
  await unlink(name);
  return file;
}

async function writeWhole(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}

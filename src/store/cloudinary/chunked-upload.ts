import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { AssetFailure } from '../../asset/failure.ts';
import type { UploadRequest, UploadSource } from '../asset-store.ts';
import type { AccountApi } from './account-api.ts';
import type { StoreAnswer } from './answer.ts';
import { SourceReader } from './source-reader.ts';
import { uploadCall, uploadWhole, wrongLength } from './upload.ts';
import { wait } from './wait.ts';

export interface ChunkRules {
  /** Size of every chunk but the last, in bytes; Cloudinary wants more than 5 MiB. */
  readonly chunkBytes: number;
  /** Waits before a chunk is sent again, in milliseconds, one a repetition; then the upload fails. */
  readonly retryDelaysMs: readonly number[];
  /** Longest pause a rate limit may put into an upload that has begun; a longer one fails it. */
  readonly longestPauseMs: number;
}

/**
 * Uploads a file in chunks (contract §3), for files larger than one chunk or of unknown length. Memory holds one chunk:
 * it is sent again from there when the store fails, without a word to the origin. A file that turns out to fit into
 * one chunk goes in one plain request.
 */
export async function uploadInChunks(
  api: AccountApi,
  request: UploadRequest,
  source: Extract<UploadSource, { kind: 'bytes' }>,
  rules: ChunkRules,
): Promise<StoreAnswer> {
  const reader = new SourceReader(source, request.signal);
  const buffer = Buffer.allocUnsafe(rules.chunkBytes);
  const uploadId = randomBytes(16).toString('hex');
  let start = 0;
  try {
    for (;;) {
      request.signal?.throwIfAborted();
      const length = await reader.fill(buffer);
      const isLast = await reader.atEnd();
      const end = start + length;
      if (source.length !== undefined && (isLast ? end !== source.length : end >= source.length)) {
        throw wrongLength(source.length, isLast ? String(end) : `more than ${source.length}`);
      }
      const chunk = buffer.subarray(0, length);
      const file = { filename: source.filename, length, open: () => Readable.from([chunk], { objectMode: false }) };
      if (isLast && start === 0) return await uploadWhole(api, request, file);

      const total = source.length ?? (isLast ? end : -1);
      const call = {
        ...uploadCall(api, request),
        file,
        headers: { 'x-unique-upload-id': uploadId, 'content-range': `bytes ${start}-${end - 1}/${total}` },
      };
      const answer = await patiently(() => api.upload(call), rules, request.signal);
      if (isLast || answer.json?.existing === true) return answer;
      if (isComplete(answer)) throw new StoredInPart(answer);
      start = end;
    }
  } finally {
    reader.close();
  }
}

/** The chunk is sent under the same upload ID and range, so a repetition adds nothing. */
async function patiently(
  send: () => Promise<StoreAnswer>,
  rules: ChunkRules,
  signal: AbortSignal | undefined,
): Promise<StoreAnswer> {
  for (let repetition = 0; ; repetition += 1) {
    try {
      return await send();
    } catch (error) {
      const pause = pauseBefore(error, repetition, rules);
      if (pause === undefined) throw error;
      await wait(pause, signal);
    }
  }
}

/** Milliseconds to wait before the chunk is sent again; undefined where that would not help. */
function pauseBefore(error: unknown, repetition: number, rules: ChunkRules): number | undefined {
  const planned = rules.retryDelaysMs[repetition];
  if (planned === undefined || !(error instanceof AssetFailure)) return undefined;
  if (error.reason !== 'store-unreachable' && error.reason !== 'store-rate-limited') return undefined;
  const pause = Math.max(planned, error.retryAfterMs ?? 0);
  return pause <= rules.longestPauseMs ? pause : undefined;
}

/** A complete result for a part of the file: what is stored now is not whole. */
export class StoredInPart extends AssetFailure {
  /** The result, as the store gave it. */
  readonly result: StoreAnswer;

  constructor(result: StoreAnswer) {
    super('store-rejected', {
      detail: 'the store took the first part of the file for all of it',
      hint: 'whatever answers at upload_prefix does not understand chunked uploads: raise store.chunkSize',
      status: result.status,
    });
    this.result = result;
  }
}

function isComplete({ json }: StoreAnswer): boolean {
  return json?.done !== false && json?.version !== undefined && json.signature !== undefined;
}

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ChaosContent } from './chaos-content.ts';

/** A file of the chaos origin with the headers it is served with. */
export interface ChaosFile {
  readonly content: ChaosContent;
  readonly type: string;
  /** With its quotes; undefined: none is sent. */
  readonly etag: string | undefined;
  /** An HTTP-date; undefined: none is sent. */
  readonly lastModified: string | undefined;
  /** More headers, such as `content-md5` or `cache-control`. */
  readonly headers: Readonly<Record<string, string>>;
}

export type ChaosFileOptions = Partial<Omit<ChaosFile, 'content'>>;

export function chaosFile(content: ChaosContent | string, options: ChaosFileOptions = {}): ChaosFile {
  const stored = typeof content === 'string' ? Buffer.from(content) : content;
  const sample = createHash('sha1').update(stored.subarray(0, 65_536)).update(String(stored.length)).digest('hex');
  return {
    content: stored,
    type: 'image/jpeg',
    etag: `"${sample.slice(0, 16)}"`,
    lastModified: 'Sat, 01 Mar 2025 10:00:00 GMT',
    headers: {},
    ...options,
  };
}

/** Serves the file as a good origin does (RFC 9110): conditions, one range, If-Range, HEAD. */
export async function serveFile(request: IncomingMessage, response: ServerResponse, file: ChaosFile): Promise<void> {
  const { content } = file;
  const fields: Record<string, string> = { 'content-type': file.type, 'accept-ranges': 'bytes', ...file.headers };
  if (file.etag !== undefined) fields.etag = file.etag;
  if (file.lastModified !== undefined) fields['last-modified'] = file.lastModified;

  if (isUnchanged(request, file)) {
    response.writeHead(304, fields).end();
    return;
  }
  const range = rangeHolds(request, file) ? parseRange(request.headers.range, content.length) : 'whole';
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const [start, end] = range === 'whole' ? [0, content.length] : range;
  fields['content-length'] = String(end - start);
  if (range !== 'whole') fields['content-range'] = `bytes ${start}-${end - 1}/${content.length}`;
  response.writeHead(range === 'whole' ? 200 : 206, fields);
  if (request.method === 'HEAD') response.end();
  else await pipeline(Readable.from(slices(content, start, end)), response).catch(() => {});
}

function* slices(content: ChaosContent, start: number, end: number): Generator<Uint8Array> {
  for (let at = start; at < end; at += 65_536) yield content.subarray(at, Math.min(end, at + 65_536));
}

function isUnchanged({ headers }: IncomingMessage, file: ChaosFile): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) return file.etag !== undefined && tags.includes(file.etag);
  const since = headers['if-modified-since'];
  return since !== undefined && file.lastModified !== undefined && Date.parse(file.lastModified) <= Date.parse(since);
}

function rangeHolds({ headers }: IncomingMessage, file: ChaosFile): boolean {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  // A weak tag names no bytes.
  return !String(condition).startsWith('W/') && (condition === file.etag || condition === file.lastModified);
}

type ParsedRange = 'whole' | 'unsatisfiable' | readonly [start: number, end: number];

/** One range, its end exclusive. Several are answered with the whole, as RFC 9110 §14.2 allows. */
function parseRange(value: string | undefined, length: number): ParsedRange {
  const match = /^bytes=(\d*)-(\d*)$/.exec(value ?? '');
  const [first = '', last = ''] = match?.slice(1) ?? [];
  if (first === '' && last === '') return 'whole';
  const start = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? length : Math.min(length, Number(last) + 1);
  return start >= length || (first === '' && Number(last) === 0) ? 'unsatisfiable' : [start, Math.max(start, end)];
}

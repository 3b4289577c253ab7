import type { Stats } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import send from 'send';

export interface FileToSend {
  /** Made by the store: never out of a URL. */
  readonly path: string;
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Answers with a file: GET and HEAD, ranges, conditions. Resolves when the answer is out or the client is gone.
 *
 * @returns false when the file is not there; nothing was sent then
 */
export function sendFile(request: IncomingMessage, response: ServerResponse, file: FileToSend): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const stream = send(request, `/${basename(file.path)}`, {
      root: dirname(file.path),
      // The validators are the asset's: the file's own would change when the same bytes are stored again.
      etag: false,
      lastModified: false,
      cacheControl: false,
      acceptRanges: true,
      dotfiles: 'allow',
      index: false,
    });
    stream.on('file', (_path: string, { size }: Stats) => widenSuffix(request, size));
    stream.on('headers', (headersOf: ServerResponse) => {
      for (const [name, value] of Object.entries(file.headers)) headersOf.setHeader(name, value);
      headersOf.setHeader('etag', `"${file.etag}"`);
      headersOf.setHeader('last-modified', new Date(file.modifiedAt).toUTCString());
    });
    stream.on('error', (error: Error & { status?: number }) => {
      if (error.status === 404) return resolve(false);
      if (response.headersSent) response.destroy();
      else answerPlainly(response, error.status ?? 500);
      if (error.status !== undefined && error.status < 500) resolve(true);
      else reject(error);
    });
    response.once('close', () => resolve(true));
    stream.pipe(response);
  });
}

/** A suffix longer than the file is all of it (RFC 9110 §14.1.2); `send` would call it unsatisfiable. */
function widenSuffix(request: IncomingMessage, size: number): void {
  const suffix = /^\s*bytes\s*=\s*-(\d+)\s*$/i.exec(request.headers.range ?? '')?.[1];
  if (suffix !== undefined && size > 0 && Number(suffix) > size) request.headers.range = 'bytes=0-';
}

/** 412 and 416: their headers are set already (`Content-Range` among them). */
function answerPlainly(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}

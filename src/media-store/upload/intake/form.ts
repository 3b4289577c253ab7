import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { LimitExceeded, type Staging } from '../../files/staging.ts';
import { StoreError } from '../../store-error.ts';
import { MAX_FIELD_LENGTH, MAX_FIELDS, MAX_REFERENCE_LENGTH } from './limits.ts';
import { FieldCollector, type Submission, type SubmittedFile } from './submission.ts';

/**
 * Reads `multipart/form-data` and `application/x-www-form-urlencoded`. File bytes go to disk as they arrive; a `file`
 * without a file name is a URL or data URI (contract §2.3). When it rejects, nothing is left on disk.
 *
 * @throws {StoreError} 400 for a body that is not what its content type says, 413 above `maxFileBytes`
 */
export async function readForm(request: IncomingMessage, staging: Staging, maxFileBytes: number): Promise<Submission> {
  const parser = openParser(request);
  const fields = new FieldCollector();
  const stopped = new AbortController();
  let file: Promise<SubmittedFile | undefined> | undefined;
  let reference: string | undefined;

  const parsed = new Promise<void>((resolve, reject) => {
    const takeFile = (name: string, stream: Readable, info: busboy.FileInfo): void => {
      if (name !== 'file') {
        reject(new StoreError(400, `Unexpected file in parameter - ${name}`));
      } else if (file !== undefined) {
        reject(new StoreError(400, 'Only one file can be uploaded at a time'));
      } else {
        file = readFilePart(stream, info, staging, maxFileBytes, stopped.signal);
        file.catch(reject);
      }
    };
    const takeField = (name: string, value: string, info: busboy.FieldInfo): void => {
      const limit = name === 'file' ? MAX_REFERENCE_LENGTH : MAX_FIELD_LENGTH;
      if (info.nameTruncated || info.valueTruncated || value.length > limit) {
        reject(new StoreError(400, `Parameter is too long - ${name}`));
      } else if (name === 'file') {
        reference = value;
      } else {
        fields.add(name, value);
      }
    };
    parser.on('file', takeFile);
    parser.on('field', takeField);
    parser.on('fieldsLimit', () => reject(new StoreError(400, `Too many parameters. Maximum is ${MAX_FIELDS}`)));
    parser.on('error', () => reject(malformed()));
    parser.on('close', resolve);
    request.on('error', () => reject(new StoreError(400, 'The request ended before its body was complete')));
    request.on('close', () => {
      if (!request.complete) reject(new StoreError(400, 'The request ended before its body was complete'));
    });
    request.pipe(parser);
  });

  try {
    await parsed;
    const sent =
      (await file) ?? (reference === undefined ? undefined : { kind: 'reference' as const, text: reference });
    return sent === undefined ? { fields: fields.fields() } : { fields: fields.fields(), file: sent };
  } catch (error) {
    request.unpipe(parser);
    stopped.abort();
    parser.destroy();
    const unused = await file?.catch(() => undefined);
    if (unused?.kind === 'bytes') await staging.discard(unused.staged);
    throw error;
  }
}

function openParser(request: IncomingMessage): busboy.Busboy {
  try {
    return busboy({
      headers: request.headers,
      // Browsers and most clients write file names in UTF-8.
      defParamCharset: 'utf8',
      limits: { fieldNameSize: 255, fieldSize: MAX_REFERENCE_LENGTH + 1, fields: MAX_FIELDS, headerPairs: 100 },
    });
  } catch {
    throw malformed();
  }
}

function malformed(): StoreError {
  return new StoreError(400, 'Malformed request body: it is not what its content type says');
}

async function readFilePart(
  stream: Readable,
  info: busboy.FileInfo,
  staging: Staging,
  maxFileBytes: number,
  signal: AbortSignal,
): Promise<SubmittedFile | undefined> {
  // The type definitions promise a name; a part of type application/octet-stream may come without one.
  const filename = info.filename as string | undefined;
  if (filename === undefined) return { kind: 'reference', text: await readText(stream) };
  try {
    const staged = await staging.write(stream, maxFileBytes, signal);
    if (filename !== '' || staged.bytes > 0) return { kind: 'bytes', staged, filename };
    // A browser's form in which no file was chosen.
    await staging.discard(staged);
    return undefined;
  } catch (error) {
    if (error instanceof LimitExceeded) throw requestTooLarge(error.limit);
    throw error;
  }
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_REFERENCE_LENGTH) throw new StoreError(400, 'Parameter is too long - file');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** One request carries no more than this; larger files come in chunks (contract §2.4). */
export function requestTooLarge(limit: number): StoreError {
  return new StoreError(413, `File size too large for one request. Maximum is ${limit}. Upload it in chunks`);
}

import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import busboy from 'busboy';
import { LimitExceeded, type Staging } from '../../files/staging.ts';
import { StoreError } from '../../store-error.ts';
import type { Allowance } from './allowance.ts';
import { MAX_FIELD_LENGTH, MAX_FIELDS, MAX_REFERENCE_LENGTH } from './limits.ts';
import { FieldCollector, type IntakeRules, type Submission, type SubmittedFile } from './submission.ts';

/**
 * Reads `multipart/form-data` and `application/x-www-form-urlencoded`. File bytes go to disk as they arrive; a `file`
 * without a file name is a URL or data URI (contract §2.3). When it rejects, nothing is left on disk.
 *
 * @throws {StoreError} 400 for a body that is not what its content type says, 413 above `maxFileBytes`, 503 where
 *   unknown senders take too much
 */
export async function readForm(
  request: IncomingMessage,
  staging: Staging,
  { maxFileBytes, isKnown = () => false }: IntakeRules,
  allowance: Allowance,
): Promise<Submission> {
  const parser = openParser(request);
  const fields = new FieldCollector();
  const stopped = new AbortController();
  /** Bytes of a file go to disk; all others stay in memory until the parameter that they belong to is whole. */
  let isInFile = false;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        if (!isInFile) allowance.hold(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  let file: Promise<SubmittedFile | undefined> | undefined;
  let reference: string | undefined;

  const parsed = new Promise<void>((resolve, reject) => {
    const takeFile = (name: string, stream: Readable, info: busboy.FileInfo): void => {
      // The parser fails it when it is given up itself. Nobody reads one that is refused, and unheard, the error would
      // end the process.
      stream.on('error', () => {});
      if (name !== 'file') {
        reject(new StoreError(400, `Unexpected file in parameter - ${name}`));
      } else if (file !== undefined) {
        reject(new StoreError(400, 'Only one file can be uploaded at a time'));
      } else {
        file = takePart(stream, info);
        file.catch(reject);
      }
    };
    const takePart = async (stream: Readable, info: busboy.FileInfo): Promise<SubmittedFile | undefined> => {
      // The type definitions promise a name; a part of type application/octet-stream may come without one.
      const filename = info.filename as string | undefined;
      if (filename === undefined) return { kind: 'reference', text: await readText(stream) };
      isInFile = true;
      stream.once('close', () => {
        isInFile = false;
      });
      if (!isKnown(fields.fields())) allowance.reserve(mostBytesOf(request, maxFileBytes));
      return readFilePart(stream, filename, staging, maxFileBytes, stopped.signal);
    };
    const takeField = (name: string, value: string, info: busboy.FieldInfo): void => {
      const limit = name === 'file' ? MAX_REFERENCE_LENGTH : MAX_FIELD_LENGTH;
      if (info.nameTruncated || info.valueTruncated || value.length > limit) {
        reject(new StoreError(400, `Parameter is too long - ${name}`));
      } else if (name === 'file') {
        reference = value;
      } else {
        // The type definitions promise a name here, too.
        add(name ?? '', value);
      }
    };
    const add = (name: string, value: string): void => {
      try {
        fields.add(name, value);
      } catch (error) {
        reject(error);
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
    counted.on('error', reject);
    request.pipe(counted).pipe(parser);
  });

  try {
    await parsed;
    const sent =
      (await file) ?? (reference === undefined ? undefined : { kind: 'reference' as const, text: reference });
    return sent === undefined ? { fields: fields.fields() } : { fields: fields.fields(), file: sent };
  } catch (error) {
    request.unpipe(counted);
    counted.unpipe(parser).destroy();
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

/** A body of stated length has no longer file in it. */
function mostBytesOf(request: IncomingMessage, maxFileBytes: number): number {
  const stated = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  return Math.min(stated, maxFileBytes);
}

async function readFilePart(
  stream: Readable,
  filename: string,
  staging: Staging,
  maxFileBytes: number,
  signal: AbortSignal,
): Promise<SubmittedFile | undefined> {
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

import { randomBytes } from 'node:crypto';
import { type Parameters, parameterText } from '../../cloudinary/signature.ts';

/** A file part, either a remote URL (a plain field: Cloudinary takes it for a URL by the missing filename) or bytes. */
export type FilePart =
  | { readonly url: string }
  | {
      readonly filename: string;
      readonly length: number;
      /** Called once for each time the body is sent. Must give exactly `length` bytes. */
      open(): AsyncIterable<Uint8Array>;
    };

export interface MultipartBody {
  readonly contentType: string;
  readonly length: number;
  /** May be called again to send the request again. */
  open(): AsyncIterable<Uint8Array>;
}

/** `multipart/form-data` of known length (RFC 7578), the file last as the SDKs have it (contract §2.3). */
export function multipart(parameters: Parameters, file?: FilePart): MultipartBody {
  // 128 random bits: no content holds the boundary by chance, and nobody can guess it.
  const boundary = `lazyferry-${randomBytes(16).toString('hex')}`;
  const fields = Object.entries(parameters).flatMap(([name, value]) => {
    const text = parameterText(value);
    return text === undefined ? [] : [field(boundary, name, text)];
  });
  if (file !== undefined && 'url' in file) fields.push(field(boundary, 'file', file.url));
  const end = Buffer.from(`--${boundary}--\r\n`);
  const contentType = `multipart/form-data; boundary=${boundary}`;
  if (file === undefined || 'url' in file) {
    const body = Buffer.concat([Buffer.from(fields.join('')), end]);
    return { contentType, length: body.length, open: () => bytes(body) };
  }
  const head = Buffer.from(
    `${fields.join('')}--${boundary}\r\ncontent-disposition: form-data; name="file"; ` +
      `filename="${escapeQuotes(file.filename)}"\r\ncontent-type: application/octet-stream\r\n\r\n`,
  );
  const tail = Buffer.concat([Buffer.from('\r\n'), end]);
  return {
    contentType,
    length: head.length + file.length + tail.length,
    async *open() {
      yield head;
      yield* file.open();
      yield tail;
    },
  };
}

async function* bytes(body: Buffer): AsyncIterable<Uint8Array> {
  yield body;
}

function field(boundary: string, name: string, value: string): string {
  return `--${boundary}\r\ncontent-disposition: form-data; name="${escapeQuotes(name)}"\r\n\r\n${value}\r\n`;
}

/** As the HTML standard's form submission escapes names, so that none can end its header. */
function escapeQuotes(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

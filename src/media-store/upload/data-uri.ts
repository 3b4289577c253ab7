import { Readable } from 'node:stream';
import { StoreError } from '../store-error.ts';

export function isDataUri(text: string): boolean {
  return /^data:/i.test(text);
}

/**
 * The bytes of a data URI, base64 or percent-encoded, as a stream.
 *
 * @throws {StoreError} 400 when it is not one
 */
export function readDataUri(text: string): Readable {
  const comma = text.indexOf(',');
  const [, ...attributes] = text.slice(0, Math.max(comma, 0)).split(';');
  if (comma === -1) throw invalid(text);
  const data = text.slice(comma + 1);
  if (!attributes.some((attribute) => attribute.trim().toLowerCase() === 'base64')) {
    return stream(decodePercent(data, text));
  }
  // A form that was not URL-encoded turns each + into a space.
  const base64 = data.replaceAll(' ', '+').replaceAll(/[\r\n\t]/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) throw invalid(text);
  return stream(Buffer.from(base64, 'base64'));
}

function decodePercent(data: string, text: string): Buffer {
  try {
    return Buffer.from(decodeURIComponent(data));
  } catch {
    throw invalid(text);
  }
}

function stream(bytes: Buffer): Readable {
  return Readable.from(bytes.length === 0 ? [] : [bytes]);
}

function invalid(text: string): StoreError {
  return new StoreError(400, `Unsupported source URL: ${text.slice(0, 100)}`);
}

import type { Readable } from 'node:stream';
import { AssetFailure } from '../../asset/failure.ts';
import type { UploadRequest } from '../asset-store.ts';
import type { AccountApi } from './account-api.ts';
import type { StoreAnswer } from './answer.ts';
import { unsignedParameters, uploadParameters } from './upload-parameters.ts';

/** The call for an upload request, without its file. */
export function uploadCall(api: AccountApi, request: UploadRequest) {
  const { target, options, signal } = request;
  return {
    path: `${target.resourceType}/upload`,
    parameters: (api.authentication === 'unsigned' ? unsignedParameters : uploadParameters)(target, options),
    // What is already there stays, so a second request finds the first one's copy. Unsigned ones never overwrite.
    repeatable: !options.overwrite || api.authentication === 'unsigned',
    signal,
  };
}

/** Lets the store load the URL, handed over as it is. */
export async function uploadUrl(api: AccountApi, request: UploadRequest, url: string): Promise<StoreAnswer> {
  return api.upload({ ...uploadCall(api, request), file: { url } });
}

export interface WholeFile {
  readonly filename: string;
  readonly length: number;
  open(): Readable;
}

/** Streams a file of known length in one request. */
export async function uploadWhole(api: AccountApi, request: UploadRequest, file: WholeFile): Promise<StoreAnswer> {
  let opened: Readable | undefined;
  const open = (): AsyncIterable<Uint8Array> => {
    opened?.destroy();
    opened = file.open();
    return exactly(file.length, opened);
  };
  try {
    return await api.upload({
      ...uploadCall(api, request),
      file: { filename: file.filename, length: file.length, open },
    });
  } finally {
    // An aborted request may leave it waiting for bytes that nobody will take.
    opened?.destroy();
  }
}

/** Passes the bytes on and fails as soon as they are not as many as were promised. */
async function* exactly(length: number, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let sent = 0;
  for await (const piece of bytes) {
    sent += piece.length;
    if (sent > length) throw wrongLength(length, `more than ${length}`);
    yield piece;
  }
  if (sent < length) throw wrongLength(length, String(sent));
}

export function wrongLength(promised: number, sent: string): AssetFailure {
  return new AssetFailure('origin-truncated', { detail: `the origin promised ${promised} bytes and sent ${sent}` });
}

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { signResponse } from '../../../src/cloudinary/signature.ts';
import type { UploadRequest } from '../../../src/store/asset-store.ts';
import {
  type CloudinaryStore,
  type CloudinaryStoreOptions,
  createCloudinaryStore,
} from '../../../src/store/cloudinary/cloudinary-store.ts';
import type { ScriptedAnswer, ScriptedServer } from '../../support/scripted-server.ts';

export const apiKey = '123456789012345';
export const apiSecret = 'a-secret-nobody-may-see';
export const mebibyte = 1024 * 1024;

/** A driver that talks to the scripted server; closed when the test ends. */
export function driverFor(
  server: Pick<ScriptedServer, 'url'>,
  options: Partial<CloudinaryStoreOptions> = {},
): CloudinaryStore {
  const store = createCloudinaryStore({
    url: `cloudinary://${apiKey}:${apiSecret}@demo`,
    uploadPrefix: server.url,
    deliveryPrefix: server.url,
    ...options,
  });
  onTestFinished(() => store.close());
  return store;
}

export function md5(content: Buffer): string {
  return createHash('md5').update(content).digest('hex');
}

/** What Cloudinary answers for a stored upload. */
export function result(more: Readonly<Record<string, unknown>> = {}): ScriptedAnswer {
  const publicId = typeof more.public_id === 'string' ? more.public_id : 'site/a';
  return {
    body: {
      asset_id: '1',
      public_id: publicId,
      version: 1_700_000_000,
      resource_type: 'image',
      type: 'upload',
      format: 'jpg',
      bytes: 3,
      etag: md5(Buffer.from('abc')),
      signature: signResponse(publicId, 1_700_000_000, apiSecret),
      ...more,
    },
  };
}

export const stored = {
  publicId: 'site/a',
  version: 1_700_000_000,
  resourceType: 'image',
  deliveryType: 'upload',
  format: 'jpg',
  bytes: 3,
  md5: md5(Buffer.from('abc')),
} as const;

/** `usage` is asked before an upload whose length is known. */
export const noLimits: ScriptedAnswer = { body: { plan: 'Free' } };

export function urlUpload(more: Partial<UploadRequest> = {}): UploadRequest {
  return {
    source: { kind: 'remote-url', url: 'https://origin.test/a.jpg' },
    target: { publicId: 'site/a', resourceType: 'image', deliveryType: 'upload' },
    options: { overwrite: false },
    ...more,
  };
}

/** The content in pieces of 64 KiB. */
export function streamOf(content: Buffer, start = 0): Readable {
  return Readable.from(
    (function* () {
      for (let at = start; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
    })(),
    { objectMode: false },
  );
}

export function bytesUpload(content: Buffer, more: { length?: number } = { length: content.length }): UploadRequest {
  return urlUpload({
    source: { kind: 'bytes', filename: 'a.jpg', open: (start) => streamOf(content, start), ...more },
  });
}

/** A stream that fails as soon as it is read. */
export function failing(error: Error): Readable {
  return new Readable({
    read() {
      this.destroy(error);
    },
  });
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it was to be rejected');
    },
    (error: unknown) => error,
  );
}

import { createHash } from 'node:crypto';
import type { StoreIdentity } from '../../src/asset/record.ts';
import type { AssetStore, StoredAsset, StoreRead, UploadRequest, UploadResult } from '../../src/store/asset-store.ts';
import { readAll } from './spool-readers.ts';

export interface ScriptedUpload {
  readonly via: 'remote-url' | 'bytes';
  readonly publicId: string;
  readonly overwrite: boolean;
}

/** An `AssetStore` in memory. `intervene` may throw, wait, or return other bytes than those that were sent. */
export class ScriptedStore implements AssetStore {
  readonly uploads: ScriptedUpload[] = [];
  readonly content = new Map<string, Buffer>();
  /** What the store finds at a remote URL. */
  remote: (url: string) => Uint8Array | Promise<Uint8Array>;
  intervene: (upload: ScriptedUpload, time: number) => Uint8Array | undefined | Promise<Uint8Array | undefined> = () =>
    undefined;
  #version = 1_700_000_000;

  constructor(remote: (url: string) => Uint8Array | Promise<Uint8Array>) {
    this.remote = remote;
  }

  async upload({ source, target, options, signal }: UploadRequest): Promise<UploadResult> {
    signal?.throwIfAborted();
    const upload = { via: source.kind, publicId: target.publicId, overwrite: options.overwrite };
    this.uploads.push(upload);
    const instead = await this.intervene(upload, this.uploads.length);
    const sent = source.kind === 'bytes' ? await readAll(source.open(0)) : Buffer.from(await this.remote(source.url));
    const there = this.content.get(target.publicId);
    if (there !== undefined && !options.overwrite) return { ...this.#describe(target.publicId, there), existing: true };
    const kept = instead === undefined ? sent : Buffer.from(instead);
    this.content.set(target.publicId, kept);
    this.#version += 1;
    return { ...this.#describe(target.publicId, kept), existing: false };
  }

  async describe({ publicId }: StoreIdentity): Promise<StoredAsset | undefined> {
    const content = this.content.get(publicId);
    return content === undefined ? undefined : this.#describe(publicId, content);
  }

  open(): Promise<StoreRead> {
    throw new Error('the migration never reads the store');
  }

  async remove({ publicId }: StoreIdentity): Promise<boolean> {
    return this.content.delete(publicId);
  }

  async isDelivered({ publicId }: StoreIdentity): Promise<boolean> {
    return this.content.has(publicId);
  }

  deliveryUrl(): string {
    throw new Error('the migration never makes a delivery URL');
  }

  async ping(): Promise<void> {}
  async close(): Promise<void> {}

  #describe(publicId: string, content: Buffer): StoredAsset {
    const md5 = createHash('md5').update(content).digest('hex');
    const identity = { publicId, resourceType: 'image', deliveryType: 'upload' } as const;
    return { ...identity, version: this.#version, format: 'jpg', bytes: content.length, md5 };
  }
}

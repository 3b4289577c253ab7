import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectoryDurably, renameDurably } from './durable.ts';
import type { StagedFile } from './staging.ts';

/**
 * Content-addressed files: a blob's name is the SHA-256 of its bytes, in two levels of directories. No part of a path
 * ever comes from a user, and a blob that exists is whole: it is renamed into place after its content is on disk.
 */
export class BlobStore {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<BlobStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new BlobStore(directory);
  }

  path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new TypeError(`not a SHA-256 digest: ${JSON.stringify(sha256)}`);
    return join(this.#directory, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  }

  /** Moves a staged file to its name. The same bytes twice are one blob. */
  async adopt(staged: StagedFile): Promise<void> {
    const target = this.path(staged.sha256);
    if (await this.#isWhole(target, staged.bytes)) {
      await rm(staged.path, { force: true });
      return;
    }
    await makeDirectoryDurably(dirname(target));
    await renameDurably(staged.path, target);
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.path(sha256), { force: true });
  }

  async #isWhole(path: string, bytes: number): Promise<boolean> {
    const found = await stat(path).catch(() => undefined);
    return found?.size === bytes;
  }
}

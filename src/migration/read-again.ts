import { Readable } from 'node:stream';
import { AssetFailure } from '../asset/failure.ts';
import type { Origin } from '../origin/origin.ts';
import { statusFailure } from '../origin/status.ts';

/**
 * The object's bytes by a read of our own, for an upload that comes too late for the shared one: where the disk is
 * full, what was read is not kept.
 */
export function readAgain(origin: Origin, url: string, signal: AbortSignal): Readable {
  async function* bytes() {
    const response = await origin.open({ url, signal });
    const failure = response.status === 200 ? undefined : (statusFailure(response) ?? partial(response.status));
    if (failure !== undefined) {
      response.body.destroy();
      throw failure;
    }
    yield* response.body;
  }
  return Readable.from(bytes(), { objectMode: false });
}

function partial(status: number): AssetFailure {
  return new AssetFailure('origin-error', {
    detail: `the origin answered ${status} to a request for the whole object`,
    status,
  });
}

import { pipeline, type Readable, Transform } from 'node:stream';
import { AssetFailure } from '../asset/failure.ts';

/** The stream, which fails with `too-large` when more than `maxBytes` come: not every origin states a length. */
export function limited(source: Readable, maxBytes: number, allowed: number): Readable {
  let received = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      received += chunk.length;
      if (received > maxBytes) callback(tooLarge(allowed));
      else callback(null, chunk);
    },
  });
  // A failure on either side destroys the other.
  return pipeline(source, limit, () => {});
}

export function tooLarge(allowed: number): AssetFailure {
  return new AssetFailure('too-large', {
    detail: `the object has more than the ${allowed} bytes allowed`,
    hint: 'see allow.maxBytes',
  });
}

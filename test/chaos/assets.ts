import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosOrigin } from '../support/chaos-origin.ts';

export interface ChaosAsset {
  /** Delivery path; the origin's is the same. */
  readonly path: string;
  readonly publicId: string;
  readonly bytes: Buffer;
  readonly md5: string;
}

const picture = readFileSync(join(import.meta.dirname, '../../sample/media/graphics/spinner.gif'));

/** Puts so many pictures on the origin, no two with the same bytes. */
export function putAssets(origin: ChaosOrigin, count: number): ChaosAsset[] {
  return Array.from({ length: count }, (_, index) => {
    // What follows a picture's end is ignored by decoders, and counts for digests.
    const bytes = Buffer.concat([picture, Buffer.from(`chaos ${index}`)]);
    const path = `/img/${index}.gif`;
    origin.put(path, bytes, { type: 'image/gif' });
    return { path, publicId: `img/${index}_gif`, bytes, md5: createHash('md5').update(bytes).digest('hex') };
  });
}

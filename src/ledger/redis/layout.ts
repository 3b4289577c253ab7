import { crc32 } from 'node:zlib';

/** How many buckets the assets are spread over. Part of the layout: another number would be another ledger. */
export const bucketCount = 256;

/** The keys of one bucket. They share a hash tag, so that one script may touch all of them in a Cluster. */
export interface Bucket {
  /** Hash: encoded asset key → cell (see `cell-codec.ts`). */
  readonly assets: string;
  /** Sorted set: encoded asset key by the time the sweeper should look at it. */
  readonly due: string;
  /** Sorted set: encoded asset key of an idle asset by the time since when it is. */
  readonly idle: string;
  /** Hash: counts (see `tallies.ts`), and `forgotten` → newest token of a dropped cell. */
  readonly tally: string;
}

export interface Layout {
  readonly buckets: readonly Bucket[];
  readonly newsChannel: string;
  /** String, gone when the pause is over. */
  readonly pause: string;
  /** What the names of duties are added to; the string is the holder, gone when the lease is over. */
  readonly duty: string;
}

export function layoutOf(prefix: string): Layout {
  const buckets = Array.from({ length: bucketCount }, (_, index) => {
    const tag = `${prefix}:{${String(index).padStart(3, '0')}}`;
    return { assets: `${tag}:assets`, due: `${tag}:due`, idle: `${tag}:idle`, tally: `${tag}:tally` };
  });
  return { buckets, newsChannel: `${prefix}:news`, pause: `${prefix}:pause`, duty: `${prefix}:duty:` };
}

export function bucketOf(layout: Layout, encodedKey: string): Bucket {
  const bucket = layout.buckets[crc32(encodedKey) % bucketCount];
  if (bucket === undefined) throw new RangeError('a remainder is smaller than its divisor');
  return bucket;
}

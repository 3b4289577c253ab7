/** Bytes that need not be in memory: an `Uint8Array` is one, and so is a pattern of any length. */
export interface ChaosContent {
  readonly length: number;
  subarray(start: number, end: number): Uint8Array;
}

/** Deterministic bytes of any length, made as they are asked for: a 2 GB video costs no memory. */
export function patternContent(length: number, seed = 1): ChaosContent {
  return {
    length,
    subarray(start, end) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, length) - start));
      for (let index = 0; index < bytes.length; index += 1) bytes[index] = patternByte(start + index, seed);
      return bytes;
    },
  };
}

/** No short period: a slice that begins at a wrong offset does not compare equal. */
function patternByte(offset: number, seed: number): number {
  let mixed = Math.imul(offset ^ (offset >>> 15), 0x2c1b3c6d) + seed;
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) & 0xff;
}

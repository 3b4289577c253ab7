import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

const PIECE = 1 << 16;
const zeros = Buffer.alloc(PIECE);

/**
 * Copies a file into another one from `position` on and syncs it. Zeros beyond the end of the target become a hole:
 * a sparse file of gigabytes stays sparse.
 */
export async function copyInto(target: string, source: string, position: number): Promise<void> {
  const file = await open(target, 'r+').catch(() => open(target, 'w+', 0o600));
  try {
    let length = (await file.stat()).size;
    let at = position;
    for await (const piece of createReadStream(source, { highWaterMark: PIECE })) {
      const isHole = at >= length && zeros.compare(piece, 0, piece.length, 0, piece.length) === 0;
      if (!isHole) {
        await file.write(piece, 0, piece.length, at);
        length = Math.max(length, at + piece.length);
      }
      at += piece.length;
    }
    if (at > length) await file.truncate(at);
    await file.sync();
  } finally {
    await file.close();
  }
}

import type { Sharp } from 'sharp';

const SIDE = 32;
const LOW = 8;

/**
 * A 64-bit perceptual hash in 16 hex digits: the signs of the lowest frequencies of the picture in grey, against
 * their median. Pictures that look alike differ in few bits.
 */
export async function perceptualHash(image: Sharp): Promise<string> {
  const grey = await image
    .flatten({ background: 'white' })
    .grayscale()
    .resize({ width: SIDE, height: SIDE, fit: 'fill' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  const frequencies: number[] = [];
  for (let v = 0; v < LOW; v += 1) for (let u = 0; u < LOW; u += 1) frequencies.push(cosineTransform(grey, u, v));
  // The first is the average brightness: it says nothing of the shape.
  const sorted = frequencies.slice(1).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const bits = frequencies.map((value) => (value > median ? '1' : '0')).join('');
  return BigInt(`0b${bits}`).toString(16).padStart(16, '0');
}

function cosineTransform(grey: Buffer, u: number, v: number): number {
  let sum = 0;
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) sum += (grey[y * SIDE + x] ?? 0) * cosine(x, u) * cosine(y, v);
  }
  return sum;
}

function cosine(position: number, frequency: number): number {
  return Math.cos(((2 * position + 1) * frequency * Math.PI) / (2 * SIDE));
}

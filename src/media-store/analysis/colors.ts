import type { Sharp } from 'sharp';

/** Colours with their share in percent, the most frequent first (Cloudinary's `colors` and `predominant`). */
export interface ColorAnalysis {
  readonly colors: readonly (readonly [hex: string, percent: number])[];
  readonly predominant: { readonly google: readonly (readonly [name: string, percent: number])[] };
}

const SIDE = 100;
const MOST_COLORS = 32;
/** Colours that differ in the lower bits only count as one. */
const STEP = 32;

const names: readonly (readonly [name: string, r: number, g: number, b: number])[] = [
  ['black', 0, 0, 0],
  ['white', 255, 255, 255],
  ['gray', 128, 128, 128],
  ['red', 220, 30, 30],
  ['orange', 255, 145, 20],
  ['yellow', 250, 230, 40],
  ['green', 40, 150, 50],
  ['teal', 20, 150, 150],
  ['blue', 35, 80, 210],
  ['purple', 130, 40, 160],
  ['pink', 250, 150, 190],
  ['brown', 120, 75, 40],
];

export async function analyseColors(image: Sharp): Promise<ColorAnalysis> {
  const pixels = await image
    .resize({ width: SIDE, height: SIDE, fit: 'inside' })
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const buckets = new Map<number, [count: number, r: number, g: number, b: number]>();
  const named = new Map<string, number>();
  const total = pixels.length / 3;
  for (let at = 0; at + 2 < pixels.length; at += 3) {
    const [r = 0, g = 0, b = 0] = pixels.subarray(at, at + 3);
    const key = [r, g, b].reduce((sum, value) => sum * (256 / STEP) + Math.floor(value / STEP), 0);
    const [count, sumR, sumG, sumB] = buckets.get(key) ?? [0, 0, 0, 0];
    buckets.set(key, [count + 1, sumR + r, sumG + g, sumB + b]);
    const name = nearestName(r, g, b);
    named.set(name, (named.get(name) ?? 0) + 1);
  }
  const percent = (count: number): number => Math.round((count / total) * 1000) / 10;
  const sorted = [...buckets.values()].sort(([a], [b]) => b - a).slice(0, MOST_COLORS);
  return {
    colors: sorted.map(([count, r, g, b]) => [hex(r / count, g / count, b / count), percent(count)]),
    predominant: {
      google: [...named].sort(([, a], [, b]) => b - a).map(([name, count]) => [name, percent(count)]),
    },
  };
}

function nearestName(r: number, g: number, b: number): string {
  let nearest = '';
  let least = Number.POSITIVE_INFINITY;
  for (const [name, nr, ng, nb] of names) {
    const distance = (r - nr) ** 2 + (g - ng) ** 2 + (b - nb) ** 2;
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

function hex(...channels: readonly number[]): string {
  return `#${channels
    .map((value) => Math.round(value).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase()}`;
}

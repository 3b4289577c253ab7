/** Colours of one landscape, each as red, green, blue from 0 to 255. */
export interface Palette {
  readonly zenith: Colour;
  readonly horizon: Colour;
  readonly sun: Colour;
  readonly ridge: Colour;
}

export type Colour = readonly [red: number, green: number, blue: number];

export const palettes = {
  dawn: { zenith: [62, 96, 152], horizon: [250, 196, 148], sun: [255, 240, 200], ridge: [34, 44, 72] },
  noon: { zenith: [56, 128, 204], horizon: [206, 230, 244], sun: [255, 255, 240], ridge: [36, 82, 66] },
  dusk: { zenith: [34, 24, 66], horizon: [232, 112, 86], sun: [255, 206, 132], ridge: [22, 14, 40] },
} satisfies Record<string, Palette>;

const layers = 4;

/**
 * Paints a mountain lake, pixel by pixel, so that the sample needs no picture of anybody else's.
 * The same arguments give the same bytes. `time` (seconds) moves the water, for the film.
 *
 * @returns raw pixels, 3 bytes each, row by row
 */
export function paintLandscape(width: number, height: number, palette: Palette, seed: number, time = 0): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  const shore = Math.round(height * 0.68);
  const ridges = Array.from({ length: layers }, (_, layer) => ridgeLine(width, height, layer, seed));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const colour =
        y < shore
          ? land(x, y, width, height, ridges, palette)
          : water(x, y, width, height, shore, ridges, palette, seed, time);
      const grain = (hash(x, y, seed) - 0.5) * 9;
      const offset = (y * width + x) * 3;
      for (let channel = 0; channel < 3; channel += 1) {
        pixels[offset + channel] = clamp((colour[channel] ?? 0) + grain);
      }
    }
  }
  return pixels;
}

/** The height in pixels of one ridge above each column; later layers are nearer, lower and rougher. */
function ridgeLine(width: number, height: number, layer: number, seed: number): Float64Array {
  const line = new Float64Array(width);
  const base = height * (0.34 + layer * 0.09);
  for (let x = 0; x < width; x += 1) {
    let swing = 0;
    for (let octave = 0; octave < 6; octave += 1) {
      const frequency = (2 + layer) * 2 ** octave;
      swing += smoothNoise((x / width) * frequency, seed + layer * 31 + octave * 7) / 2 ** octave;
    }
    line[x] = base + (swing - 1) * height * 0.11;
  }
  return line;
}

function land(
  x: number,
  y: number,
  width: number,
  height: number,
  ridges: readonly Float64Array[],
  palette: Palette,
): Colour {
  for (let layer = layers - 1; layer >= 0; layer -= 1) {
    const crest = ridges[layer]?.[x] ?? height;
    if (y > crest) {
      // Air between us and a far ridge washes it out towards the horizon's colour.
      const haze = 0.75 - layer * 0.22 + Math.min(0.15, ((y - crest) / height) * 0.5);
      return mix(palette.ridge, palette.horizon, Math.max(0, haze));
    }
  }
  const sky = mix(palette.zenith, palette.horizon, (y / (height * 0.55)) ** 1.4);
  const distance = Math.hypot(x / width - 0.68, (y / height - 0.24) * (height / width));
  return mix(sky, palette.sun, distance < 0.035 ? 1 : Math.exp(-distance * 9) * 0.75);
}

function water(
  x: number,
  y: number,
  width: number,
  height: number,
  shore: number,
  ridges: readonly Float64Array[],
  palette: Palette,
  seed: number,
  time: number,
): Colour {
  const depth = (y - shore) / (height - shore);
  const ripple = Math.sin(y * (0.9 - depth * 0.55) + time * 4 + smoothNoise(x / 40 + time, seed) * 5) * (1 + depth * 5);
  const mirrorX = Math.min(width - 1, Math.max(0, Math.round(x + ripple)));
  const mirrorY = Math.max(0, shore - Math.round((y - shore) * 1.6 + ripple * 0.4));
  const reflection = land(mirrorX, mirrorY, width, height, ridges, palette);
  return mix(reflection, palette.zenith, 0.22 + depth * 0.3);
}

function mix(from: Colour, to: Colour, amount: number): Colour {
  const share = Math.min(1, Math.max(0, amount));
  return [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ];
}

function clamp(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}

/** Value noise: from 0 to 1, continuous, the same for the same arguments. */
function smoothNoise(position: number, seed: number): number {
  const cell = Math.floor(position);
  const within = position - cell;
  const ease = within * within * (3 - 2 * within);
  return hash(cell, 0, seed) * (1 - ease) + hash(cell + 1, 0, seed) * ease;
}

/** An integer hash (xorshift-multiply) of a position, from 0 to 1. */
function hash(x: number, y: number, seed: number): number {
  let bits = Math.imul(x, 374_761_393) ^ Math.imul(y, 668_265_263) ^ Math.imul(seed, 2_246_822_519);
  bits = Math.imul(bits ^ (bits >>> 13), 1_274_126_177);
  return ((bits ^ (bits >>> 16)) >>> 0) / 4_294_967_295;
}

import type { Color } from './color.ts';

export const cropModes = ['scale', 'fit', 'limit', 'mfit', 'fill', 'lfill', 'pad', 'lpad', 'mpad', 'crop'] as const;
type CropMode = (typeof cropModes)[number];

export const gravities = [
  'center',
  'north',
  'north_east',
  'east',
  'south_east',
  'south',
  'south_west',
  'west',
  'north_west',
  'auto',
] as const;
export type Gravity = (typeof gravities)[number];

/** Pixels, or a part of the image's size. */
export type Length = { readonly pixels: number } | { readonly ratio: number };

export type Effect =
  | { readonly name: 'grayscale' | 'negate' }
  | {
      readonly name: 'blur' | 'sharpen' | 'sepia' | 'brightness' | 'saturation' | 'contrast' | 'hue';
      readonly amount: number;
    };

export type Quality = number | 'auto' | 'auto:best' | 'auto:good' | 'auto:eco' | 'auto:low';

/** One step of a transformation: what stands between two slashes. */
export interface Component {
  readonly width?: Length;
  readonly height?: Length;
  readonly aspectRatio?: number;
  readonly crop?: CropMode;
  readonly gravity?: Gravity;
  readonly x?: Length;
  readonly y?: Length;
  readonly dpr?: number;
  readonly effect?: Effect;
  /** Degrees clockwise, after the flips. */
  readonly angle?: number;
  readonly flips: readonly ('hflip' | 'vflip')[];
  /** Leave the picture as the camera stored it. */
  readonly ignoreOrientation: boolean;
  readonly radius?: number | 'max';
  readonly border?: { readonly width: number; readonly color: Color };
  readonly background?: Color;
  /** 0 to 100. */
  readonly opacity?: number;
}

/** A whole transformation, named ones written out. */
export interface Transformation {
  readonly components: readonly Component[];
  /** `auto`, or the format to deliver in; the last one named counts. */
  readonly format?: string;
  readonly quality?: Quality;
}

/**
 * The image parameters that other services take in the query (`?w=300&h=200&fit=crop`), as a Cloudinary transformation
 * (`c_fill,h_200,w_300`). The vocabulary is the common ground of imgix, Fastly, Cloudflare, ImageKit and Contentful;
 * where they differ, imgix decides. Documented in `docs/cloudinary.md`.
 *
 * Only values from this list and numbers within bounds pass, so nothing a client writes reaches the transformation
 * unread. What is not known is left out, as those services do.
 *
 * @param query without `?`
 * @returns components in alphabetical order, as Cloudinary itself writes them; empty where nothing asks for any
 */
export function queryTransformation(query: string): string {
  const given = new URLSearchParams(query);
  const first = (...names: string[]): string | undefined => {
    for (const name of names) {
      const value = given.get(name)?.trim().toLowerCase();
      if (value !== undefined && value !== '') return value;
    }
    return undefined;
  };

  const width = integer(first('w', 'width'), 1, largestSide);
  const height = integer(first('h', 'height'), 1, largestSide);
  const automatic = first('auto')?.split(',') ?? [];
  const components = [
    ...resize(width, height, first('fit'), first('crop', 'gravity')),
    component('a', rotation(first('rot', 'rotate', 'or'), first('flip'))),
    component('b', background(first('bg', 'bg-color', 'background'))),
    component('dpr', number(first('dpr'), 0.1, 10)),
    component('e_blur:', integer(first('blur'), 1, 2000)),
    component('f', format(first('fm', 'format', 'f'), automatic.includes('format'))),
    component('q', quality(first('q', 'quality'), automatic.includes('compress'))),
  ];
  return components
    .filter((text) => text !== undefined)
    .sort()
    .join(',');
}

const largestSide = 10_000;

/** Ways to fit an image into a frame. */
const crops: Readonly<Record<string, string>> = {
  clip: 'c_fit',
  contain: 'c_fit',
  bounds: 'c_fit',
  inside: 'c_fit',
  crop: 'c_fill',
  cover: 'c_fill',
  min: 'c_lfill',
  max: 'c_limit',
  'scale-down': 'c_limit',
  fill: 'c_pad',
  fillmax: 'c_lpad',
  clamp: 'c_pad',
  pad: 'c_pad',
  scale: 'c_scale',
  stretch: 'c_scale',
  facearea: 'c_thumb',
  thumb: 'c_thumb',
};

const gravities: Readonly<Record<string, string>> = {
  top: 'north',
  bottom: 'south',
  left: 'west',
  right: 'east',
  'top,left': 'north_west',
  'top,right': 'north_east',
  'bottom,left': 'south_west',
  'bottom,right': 'south_east',
  center: 'center',
  face: 'face',
  faces: 'faces',
  auto: 'auto',
  smart: 'auto',
  entropy: 'auto',
  edges: 'auto',
};

/** Only these crop modes cut something off, so only they have a part to keep. */
const cutting = new Set(['c_fill', 'c_lfill', 'c_thumb']);

function resize(
  width: string | undefined,
  height: string | undefined,
  fit: string | undefined,
  keep: string | undefined,
): (string | undefined)[] {
  if (width === undefined && height === undefined) return [];
  const crop = own(crops, fit) ?? 'c_fit';
  const gravity = own(gravities, keep) ?? (crop === 'c_thumb' ? 'face' : undefined);
  return [crop, component('g', cutting.has(crop) ? gravity : undefined), component('h', height), component('w', width)];
}

const formats: Readonly<Record<string, string>> = {
  auto: 'auto',
  avif: 'avif',
  gif: 'gif',
  jpeg: 'jpg',
  jpg: 'jpg',
  pjpg: 'jpg',
  png: 'png',
  webp: 'webp',
};

function format(value: string | undefined, automatic: boolean): string | undefined {
  return own(formats, value) ?? (automatic ? 'auto' : undefined);
}

function quality(value: string | undefined, automatic: boolean): string | undefined {
  return value === 'auto' ? 'auto' : (integer(value, 1, 100) ?? (automatic ? 'auto' : undefined));
}

const flips: Readonly<Record<string, string>> = { h: 'hflip', v: 'vflip', hv: 'hflip.vflip', vh: 'hflip.vflip' };

function rotation(angle: string | undefined, flip: string | undefined): string | undefined {
  const parts = [own(flips, flip), integer(angle, 1, 359)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join('.');
}

function background(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const hex = /^#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/.exec(value)?.[1];
  if (hex !== undefined) return `rgb:${hex}`;
  return ['white', 'black', 'transparent'].includes(value) ? value : undefined;
}

/** `prefix_value`; a prefix that ends with a colon stands before the value as it is. */
function component(prefix: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  return prefix.endsWith(':') ? `${prefix}${value}` : `${prefix}_${value}`;
}

/** A whole number within bounds; others are cut down to it, as `300.5`. */
function integer(value: string | undefined, least: number, most: number): string | undefined {
  const found = number(value, least, most);
  return found === undefined ? undefined : String(Math.floor(Number(found)));
}

function number(value: string | undefined, least: number, most: number): string | undefined {
  if (value === undefined || !/^\d{1,5}(?:\.\d{1,4})?$/.test(value)) return undefined;
  const found = Number(value);
  return found >= least && found <= most ? String(found) : undefined;
}

function own(table: Readonly<Record<string, string>>, key: string | undefined): string | undefined {
  return key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}

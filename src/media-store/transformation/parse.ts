import { StoreError } from '../store-error.ts';
import { type Color, parseColor } from './color.ts';
import {
  type Component,
  cropModes,
  type Effect,
  gravities,
  type Length,
  type Quality,
  type Transformation,
} from './component.ts';

type Draft = { -readonly [key in keyof Component]: Component[key] } & { format?: string; quality?: Quality };

/** Steps in one URL: each costs a picture in memory. */
const MAX_COMPONENTS = 20;

/**
 * Reads a transformation as it stands in a URL: `c_fill,w_300,h_200/e_grayscale`. Named ones (`t_name`) are given by
 * {@link expandNamed} before.
 *
 * @throws {StoreError} 400, naming what is wrong or not supported
 */
export function parseTransformation(text: string): Transformation {
  const parts = text.split('/').filter((part) => part !== '');
  if (parts.length > MAX_COMPONENTS)
    throw new StoreError(400, `Too many transformations. Maximum is ${MAX_COMPONENTS}`);
  const drafts = parts.map(parseComponent);
  const format = drafts.findLast((draft) => draft.format !== undefined)?.format;
  const quality = drafts.findLast((draft) => draft.quality !== undefined)?.quality;
  return {
    components: drafts.map(({ format: _format, quality: _quality, ...component }) => component),
    ...(format !== undefined && { format }),
    ...(quality !== undefined && { quality }),
  };
}

/**
 * Writes named transformations out: `t_thumb/e_blur` → `c_fill,w_100/e_blur`.
 *
 * @throws {StoreError} 400 for a name that nobody knows
 */
export function expandNamed(text: string, definitionOf: (name: string) => string | undefined): string {
  return text
    .split('/')
    .flatMap((component) => {
      const parts = component.split(',');
      const names = parts.flatMap((part) => /^t_(.+)$/.exec(part)?.[1] ?? []);
      const others = parts.filter((part) => !part.startsWith('t_')).join(',');
      const definitions = names.map((name) => {
        const definition = definitionOf(name);
        if (definition === undefined) throw new StoreError(400, `Unknown transformation ${name}`);
        return definition;
      });
      return others === '' ? definitions : [...definitions, others];
    })
    .join('/');
}

function parseComponent(text: string): Draft {
  const draft: Draft = { flips: [], ignoreOrientation: false };
  for (const parameter of text.split(',').filter((part) => part !== '')) {
    const [, key = '', value = ''] = /^([a-z]+)_(.*)$/s.exec(parameter) ?? [];
    const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (read === undefined) throw unsupported(parameter);
    read(draft, decodeValue(value), parameter);
  }
  return draft;
}

function unsupported(parameter: string): StoreError {
  return new StoreError(
    400,
    `Unsupported transformation - ${parameter.slice(0, 100)}: not supported by the embedded store`,
  );
}

function invalid(what: string, value: string): StoreError {
  return new StoreError(400, `Invalid ${what} in transformation: ${value.slice(0, 100)}`);
}

function decodeValue(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

type Reader = (draft: Draft, value: string, parameter: string) => void;

const readers: Readonly<Record<string, Reader>> = {
  w: (draft, value, parameter) => {
    draft.width = parseLength('width', value, parameter);
  },
  h: (draft, value, parameter) => {
    draft.height = parseLength('height', value, parameter);
  },
  x: (draft, value) => {
    draft.x = parseOffset('x', value);
  },
  y: (draft, value) => {
    draft.y = parseOffset('y', value);
  },
  ar: (draft, value) => {
    const [, left, right = '1'] = /^(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?$/.exec(value) ?? [];
    const ratio = Number(left) / Number(right);
    if (!(ratio > 0.001 && ratio < 1000)) throw invalid('aspect ratio', value);
    draft.aspectRatio = ratio;
  },
  c: (draft, value, parameter) => {
    const mode = cropModes.find((name) => name === value);
    if (mode === undefined) throw unsupported(parameter);
    draft.crop = mode;
  },
  g: (draft, value, parameter) => {
    const gravity = gravities.find((name) => name === value);
    if (gravity === undefined) throw unsupported(parameter);
    draft.gravity = gravity;
  },
  dpr: (draft, value) => {
    // The browser's own ratio is not known here: auto delivers what 1.0 would.
    draft.dpr = value === 'auto' ? 1 : number('dpr', value, 0.1, 10);
  },
  q: (draft, value) => {
    draft.quality = parseQuality(value);
  },
  f: (draft, value) => {
    if (!/^[a-z0-9]+$/.test(value)) throw invalid('format', value);
    draft.format = value;
  },
  a: parseAngle,
  r: (draft, value) => {
    draft.radius = value === 'max' ? 'max' : number('radius', value, 0, 10_000);
  },
  e: (draft, value, parameter) => {
    if (draft.effect !== undefined) throw invalid('effect', `${value}: one effect in a component, chain them with /`);
    draft.effect = parseEffect(value, parameter);
  },
  b: (draft, value, parameter) => {
    draft.background = color(value, parameter);
  },
  bo: (draft, value, parameter) => {
    const [, width, name = ''] = /^(\d+)px_solid_(.+)$/.exec(value) ?? [];
    if (width === undefined) throw invalid('border', value);
    draft.border = { width: number('border', width, 1, 1000), color: color(name, parameter) };
  },
  o: (draft, value) => {
    draft.opacity = number('opacity', value, 0, 100);
  },
};

function number(what: string, value: string, least: number, most: number): number {
  const parsed = /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(parsed >= least && parsed <= most)) throw invalid(what, value);
  return parsed;
}

/** `300` are pixels, `0.5` and `1.0` a part of the size. */
function parseLength(what: string, value: string, parameter: string): Length {
  if (/^(auto|iw|ih)\b/.test(value)) throw unsupported(parameter);
  if (/^\d+$/.test(value)) return { pixels: number(what, value, 1, 100_000) };
  return { ratio: number(what, value, 0.0001, 100) };
}

function parseOffset(what: string, value: string): Length {
  if (/^-?\d+$/.test(value)) return { pixels: number(what, value, -100_000, 100_000) };
  return { ratio: number(what, value, -1, 1) };
}

function parseQuality(value: string): Quality {
  switch (value) {
    case 'auto':
    case 'auto:best':
    case 'auto:good':
    case 'auto:eco':
    case 'auto:low':
      return value;
    default:
      return number('quality', value, 1, 100);
  }
}

function parseAngle(draft: Draft, value: string, parameter: string): void {
  for (const part of value.split('.')) {
    if (part === 'hflip' || part === 'vflip') draft.flips = [...draft.flips, part];
    else if (part === 'ignore') draft.ignoreOrientation = true;
    else if (part === 'exif') draft.ignoreOrientation = false;
    else if (/^-?\d+$/.test(part)) draft.angle = number('angle', part, -360, 360);
    else throw unsupported(parameter);
  }
}

/** Range of each effect's amount, and what stands for none given. */
const amounts: Readonly<Record<string, readonly [least: number, most: number, absent: number]>> = {
  blur: [1, 2000, 100],
  sharpen: [1, 2000, 100],
  sepia: [1, 100, 80],
  brightness: [-99, 100, 80],
  saturation: [-100, 100, 80],
  contrast: [-100, 100, 0],
  hue: [-100, 100, 80],
};

function parseEffect(value: string, parameter: string): Effect {
  const [name = '', amount] = value.split(':');
  if (name === 'grayscale' || name === 'negate') return { name };
  const range = Object.hasOwn(amounts, name) ? amounts[name] : undefined;
  if (range === undefined) throw unsupported(parameter);
  const [least, most, absent] = range;
  return { name: name as 'blur', amount: amount === undefined ? absent : number('effect', amount, least, most) };
}

function color(value: string, parameter: string): Color {
  const parsed = parseColor(value);
  if (parsed !== undefined) return parsed;
  if (/^(auto|blurred|gen_fill)/.test(value)) throw unsupported(parameter);
  throw invalid('color', value);
}

import type { Component, Gravity, Length } from './component.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Box extends Size {
  readonly left: number;
  readonly top: number;
}

/** What a component does to the picture's plane: cut a part out, scale it, cut the result, set it on a canvas. */
export interface Geometry {
  /** Part of the input to keep. */
  readonly before?: Box;
  readonly scale: Size;
  /** Part of the scaled picture to keep. With gravity `auto` the renderer finds the place. */
  readonly after?: Box;
  /** Canvas, with the picture's place on it. */
  readonly canvas?: Box;
}

/** Works out a component's geometry on an input of this size; undefined when the size stays. */
export function geometryOf(component: Component, input: Size): Geometry | undefined {
  const wanted = wantedSize(component, input);
  if (wanted === undefined) return undefined;
  const { width, height } = wanted;
  const ratioX = (width ?? 0) / input.width;
  const ratioY = (height ?? 0) / input.height;
  const box = { width: width ?? input.width * ratioY, height: height ?? input.height * ratioX };
  // One side alone scales the other with it, in every mode but crop and pad.
  const inside = Math.min(ratioX || ratioY, ratioY || ratioX);
  const around = Math.max(ratioX, ratioY);
  const by = (factor: number): Size => round({ width: input.width * factor, height: input.height * factor });

  switch (component.crop ?? 'scale') {
    case 'scale':
      return { scale: round(box) };
    case 'fit':
      return { scale: by(inside) };
    case 'limit':
      return { scale: by(Math.min(1, inside)) };
    case 'mfit':
      return { scale: by(Math.max(1, inside)) };
    case 'fill':
      return cut(by(around), round(box), component);
    case 'lfill': {
      const scaled = by(Math.min(1, around));
      return cut(scaled, within(round(box), scaled), component);
    }
    case 'pad':
      return pad(by(inside), round(box), component);
    case 'lpad':
      return pad(by(Math.min(1, inside)), round(box), component);
    case 'mpad':
      return pad(round(input), enclosing(round(box), input), component);
    case 'crop': {
      const size = within(round({ width: width ?? input.width, height: height ?? input.height }), input);
      return { before: place(size, input, component, 'crop'), scale: size };
    }
  }
}

/** Width and height in pixels, with the aspect ratio and the device's pixel ratio applied. */
function wantedSize(component: Component, input: Size): Partial<Size> | undefined {
  const { aspectRatio, dpr = 1 } = component;
  let width = pixels(component.width, input.width);
  let height = pixels(component.height, input.height);
  if (aspectRatio !== undefined) {
    if (width !== undefined) height ??= width / aspectRatio;
    else if (height !== undefined) width = height * aspectRatio;
    else {
      // The largest part of the picture with this ratio.
      width = Math.min(input.width, input.height * aspectRatio);
      height = width / aspectRatio;
    }
  }
  if (width === undefined && height === undefined) return undefined;
  return {
    ...(width !== undefined && { width: width * dpr }),
    ...(height !== undefined && { height: height * dpr }),
  };
}

function pixels(length: Length | undefined, whole: number): number | undefined {
  if (length === undefined) return undefined;
  return 'pixels' in length ? length.pixels : length.ratio * whole;
}

function round(size: Size): Size {
  return { width: Math.max(1, Math.round(size.width)), height: Math.max(1, Math.round(size.height)) };
}

function within(size: Size, bounds: Size): Size {
  return { width: Math.min(size.width, bounds.width), height: Math.min(size.height, bounds.height) };
}

function enclosing(size: Size, content: Size): Size {
  return { width: Math.max(size.width, content.width), height: Math.max(size.height, content.height) };
}

function cut(scaled: Size, wanted: Size, component: Component): Geometry {
  const size = within(wanted, scaled);
  return { scale: scaled, after: place(size, scaled, component, 'fill') };
}

function pad(scaled: Size, wanted: Size, component: Component): Geometry {
  const canvas = enclosing(wanted, scaled);
  const { left, top } = place(scaled, canvas, component, 'pad');
  return { scale: scaled, canvas: { ...canvas, left, top } };
}

/**
 * Where a smaller box lies in a larger one. Offsets count from the side that the gravity names, into the picture;
 * a crop with offsets and no gravity counts from the upper left corner.
 */
function place(size: Size, bounds: Size, component: Component, mode: 'crop' | 'fill' | 'pad'): Box {
  const hasOffset = component.x !== undefined || component.y !== undefined;
  const gravity = component.gravity ?? (mode === 'crop' && hasOffset ? 'north_west' : 'center');
  const x = pixels(component.x, bounds.width) ?? 0;
  const y = pixels(component.y, bounds.height) ?? 0;
  const room = { width: bounds.width - size.width, height: bounds.height - size.height };
  const left = offset(room.width, x, has(gravity, 'west'), has(gravity, 'east'));
  const top = offset(room.height, y, has(gravity, 'north'), has(gravity, 'south'));
  return { ...size, left, top };
}

function has(gravity: Gravity, side: string): boolean {
  return gravity.split('_').includes(side);
}

function offset(room: number, shift: number, atStart: boolean, atEnd: boolean): number {
  const place = atStart ? shift : atEnd ? room - shift : room / 2 + shift;
  return Math.round(Math.min(Math.max(place, 0), Math.max(room, 0)));
}

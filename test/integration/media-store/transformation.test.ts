import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admin, type RunningStore, startSharedStore, startStore, temporaryDirectory, upload } from './harness.ts';

const media = join(import.meta.dirname, '../../../sample/media');

/** Left half red, right half blue, 80 × 40. */
const halves = await sharp({ create: { width: 80, height: 40, channels: 3, background: 'red' } })
  .composite([{ input: { create: { width: 40, height: 40, channels: 3, background: 'blue' } }, left: 40, top: 0 }])
  .png()
  .toBuffer();

/** Has the halves, for tests that only look. */
let shared: Awaited<ReturnType<typeof startSharedStore>>;

beforeAll(async () => {
  shared = await startSharedStore();
  await uploadHalves(shared);
});
afterAll(() => shared?.[Symbol.asyncDispose]());

const uploadHalves = (store: RunningStore) =>
  upload(store, { file: new File([halves], 'halves.png'), public_id: 'halves' });

async function get(store: RunningStore, path: string, accept = '*/*') {
  const response = await fetch(`${store.url}/demo/${path}`, { headers: { accept } });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, error: response.headers.get('x-cld-error') };
}

/** The picture's size, and its colour at a point, as red, green, blue, alpha. */
async function look(bytes: Buffer, x = 0, y = 0) {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (y * info.width + x) * 4;
  return { size: [info.width, info.height], color: [...data.subarray(at, at + 4)] };
}

const red = [255, 0, 0, 255];
const blue = [0, 0, 255, 255];

test.each([
  ['w_40', [40, 20]],
  ['h_10', [20, 10]],
  ['w_0.5', [40, 20]],
  ['w_20,h_20', [20, 20]],
  ['c_fit,w_20,h_20', [20, 10]],
  ['c_limit,w_200,h_200', [80, 40]],
  ['c_mfit,w_160,h_160', [160, 80]],
  ['c_fill,w_20,h_20', [20, 20]],
  ['c_lfill,w_200,h_20', [80, 20]],
  ['c_pad,w_100,h_100', [100, 100]],
  ['c_lpad,w_100,h_100', [100, 100]],
  ['c_mpad,w_100,h_20', [100, 40]],
  ['c_crop,w_10,h_5', [10, 5]],
  ['ar_1:1,c_fill,w_30', [30, 30]],
  ['ar_1.0,c_crop', [40, 40]],
  ['dpr_2.0,w_10', [20, 10]],
  ['a_90', [40, 80]],
  ['bo_3px_solid_black', [86, 46]],
  ['w_40/h_10', [20, 10]],
])('%s gives a picture of %j', async (transformation, size) => {
  const { status, bytes } = await get(shared, `image/upload/${transformation}/v1/halves.png`);
  expect(status).toBe(200);
  expect((await look(bytes)).size).toEqual(size);
});

test.each([
  ['a crop keeps the side that the gravity names', 'c_crop,w_10,h_10,g_east', 0, 0, blue],
  ['a crop by offsets counts from the upper left corner', 'c_crop,w_10,h_10,x_60,y_5', 0, 0, blue],
  ['a fill keeps the side that the gravity names', 'c_fill,w_20,h_40,g_west', 0, 0, red],
  ['hflip turns left and right', 'a_hflip', 0, 0, blue],
  ['the padding has the colour asked for', 'c_pad,w_100,h_100,b_rgb:00ff00', 0, 0, [0, 255, 0, 255]],
  ['the border has its colour', 'bo_3px_solid_rgb:00f', 1, 1, blue],
  ['round corners are transparent', 'r_10', 0, 0, [0, 0, 0, 0]],
  ['negate inverts', 'e_negate', 0, 0, [0, 255, 255, 255]],
  ['opacity makes transparent', 'o_0', 5, 5, [255, 0, 0, 0]],
  ['a background stands behind transparency', 'r_10/b_blue', 0, 0, blue],
])('%s', async (_name, transformation, x, y, color) => {
  const { bytes } = await get(shared, `image/upload/${transformation}/v1/halves.png`);
  const seen = await look(bytes, x, y);
  // A fully transparent pixel has no colour.
  expect(color[3] === 0 ? [seen.color[3]] : seen.color).toEqual(color[3] === 0 ? [0] : color);
});

test.each([
  'grayscale',
  'sepia:50',
  'blur:200',
  'sharpen',
  'brightness:-20',
  'saturation:-50',
  'contrast:-30',
  'hue:40',
])('the effect %s changes the picture and keeps its size', async (effect) => {
  const { bytes } = await get(shared, `image/upload/e_${effect}/v1/halves.png`);
  expect((await look(bytes)).size).toEqual([80, 40]);
  const pixels = (picture: Buffer) => sharp(picture).removeAlpha().toColourspace('srgb').raw().toBuffer();
  expect((await pixels(bytes)).equals(await pixels(halves))).toBe(false);
});

test.each(['jpg', 'webp', 'avif', 'gif'])('the extension .%s converts', async (format) => {
  const { headers, bytes } = await get(shared, `image/upload/halves.${format}`);
  expect(headers.get('content-type')).toBe(`image/${format === 'jpg' ? 'jpeg' : format}`);
  expect((await look(bytes)).size).toEqual([80, 40]);
});

test('f_auto follows the Accept header and says so in Vary', async () => {
  const typeFor = async (accept: string) => {
    const { headers } = await get(shared, 'image/upload/f_auto,q_auto/halves.png', accept);
    return [headers.get('content-type'), headers.get('vary')];
  };
  expect(await typeFor('image/avif,image/webp,*/*')).toEqual(['image/avif', 'Accept']);
  expect(await typeFor('image/webp,*/*')).toEqual(['image/webp', 'Accept']);
  expect(await typeFor('*/*')).toEqual(['image/png', 'Accept']);
});

test('a lower quality makes a smaller file', async () => {
  const store = await startStore();
  await upload(store, { file: new File([await readFile(join(media, 'photos/lake.jpg'))], 'a.jpg'), public_id: 'a' });
  const sizes = await Promise.all(
    ['q_10', 'q_auto:low', 'q_95'].map(async (q) => (await get(store, `image/upload/${q}/a.jpg`)).bytes.length),
  );
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
});

test.each([
  ['w_abc', 'Invalid width in transformation: abc'],
  ['t_none', 'Unknown transformation none'],
  ['fl_progressive', 'Unsupported transformation - fl_progressive: not supported by the embedded store'],
  ['g_face,c_thumb,w_10', 'Unsupported transformation - g_face: not supported by the embedded store'],
  ['l_logo', 'Unsupported transformation - l_logo: not supported by the embedded store'],
  ['e_cartoonify', 'Unsupported transformation - e_cartoonify: not supported by the embedded store'],
  ['w_9000,h_9000', 'Maximum image size is 25.00 Megapixels. Requested 81.00 Megapixels'],
  ['f_exe', 'Unsupported transformation - f_exe: not supported by the embedded store'],
])('%s is answered 400 with a reason that names it', async (transformation, reason) => {
  const { status, error } = await get(shared, `image/upload/${transformation}/v1/halves.png`);
  expect([status, error]).toEqual([400, reason]);
});

test('a picture with more pixels than allowed is refused at upload', async () => {
  const store = await startStore({ limits: { imagePixels: 1000 } });
  const { status, body } = await upload(store, { file: new File([halves], 'a.png') });
  expect([status, body.error.message]).toEqual([400, 'Maximum image size is 0.00 Megapixels. Got 0.00 Megapixels']);
});

test('videos, documents and drawings are delivered as stored under f_auto,q_auto', async () => {
  const store = await startStore();
  for (const [path, type] of [
    ['video/lake.mp4', 'video'],
    ['graphics/logo.svg', 'image'],
    ['documents/guide.pdf', 'image'],
  ] as const) {
    const original = await readFile(join(media, path));
    const { body } = await upload(store, { file: new File([original], path), public_id: 'x' }, '/auto/upload');
    const { bytes } = await get(store, `${type}/upload/f_auto,q_auto/v1/x.${body.format}`, 'image/webp');
    expect(bytes.equals(original)).toBe(true);
  }
  const refused = await get(store, 'video/upload/w_100/v1/x.mp4');
  expect(refused.status).toBe(400);
});

test('an animation stays one when it is scaled or converted', async () => {
  const store = await startStore();
  const spinner = await readFile(join(media, 'graphics/spinner.gif'));
  await upload(store, { file: new File([spinner], 'a.gif'), public_id: 's' });
  const scaled = await get(store, 'image/upload/w_60/s.gif');
  expect(await sharp(scaled.bytes).metadata()).toMatchObject({ width: 60, pages: 12 });
  const converted = await get(store, 'image/upload/f_auto/s.gif', 'image/avif,image/webp');
  expect(await sharp(converted.bytes).metadata()).toMatchObject({ format: 'webp', pages: 12 });
});

test('a photo is turned as its camera held it', async () => {
  const store = await startStore();
  const turned = await sharp(halves).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  await upload(store, { file: new File([turned], 'a.jpg'), public_id: 't' });
  expect((await look((await get(store, 'image/upload/w_20/t.png')).bytes)).size).toEqual([20, 40]);
  expect((await look((await get(store, 'image/upload/a_ignore,w_20/t.png')).bytes)).size).toEqual([20, 10]);
});

test('an SVG cannot draw files of the store', async () => {
  const store = await startStore();
  await uploadHalves(store);
  const { body } = await admin(store, 'GET', '/resources/image/upload/halves');
  const names = await readdir(join(store.dir, 'blobs'), { recursive: true });
  const blob = names.find((name) => /[0-9a-f]{64}$/.test(name)) ?? '';
  const link = (href: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"><image href="${href}" width="80" height="40"/></svg>`;
  for (const href of [`file://${join(store.dir, 'blobs', blob)}`, blob.split('/').at(-1) ?? '', body.url]) {
    await upload(store, { file: new File([link(href)], 'a.svg'), public_id: 'peek' });
    const { bytes } = await get(store, 'image/upload/peek.png');
    expect((await look(bytes, 40, 20)).color[3]).toBe(0);
  }
});

const derivedFiles = async (store: RunningStore) =>
  (await readdir(join(store.dir, 'derived'), { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name));

test('a derived picture is made once, kept on disk, and gone with its original', async () => {
  const store = await startStore();
  await uploadHalves(store);
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(store, 'image/upload/w_33/v1/halves.png')));
  expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(1);
  expect(await derivedFiles(store)).toHaveLength(1);
  await admin(store, 'DELETE', '/resources/image/upload?public_ids[]=halves');
  expect(await derivedFiles(store)).toEqual([]);
});

test('derived pictures keep to their share of the disk', async () => {
  const store = await startStore({ derivedBytes: 1000 });
  await upload(store, { file: new File([halves], 'a.png'), public_id: 'halves' });
  for (let width = 100; width < 130; width += 1) await get(store, `image/upload/w_${width}/v1/halves.png`);
  expect((await derivedFiles(store)).length).toBeLessThan(15);
});

test('tiny derived pictures count for the blocks of disk that they take, also after a restart', async () => {
  const dir = await temporaryDirectory();
  const most = 10;
  for (const from of [1, 21]) {
    const store = await startStore({ dir, derivedBytes: most * 4096 });
    await upload(store, { file: new File([halves], 'a.png'), public_id: 'halves' });
    for (let width = from; width < from + 20; width += 1) await get(store, `image/upload/w_${width}/v1/halves.png`);
    expect(await derivedFiles(store)).toHaveLength(most);
    await store.close();
  }
});

test('an incoming transformation is what is stored', async () => {
  const store = await startStore();
  const { body } = await upload(store, { file: new File([halves], 'a.png'), transformation: 'w_10', format: 'webp' });
  expect(body).toMatchObject({ width: 10, height: 5, format: 'webp' });
  const { status } = await upload(store, { file: 'data:,x', transformation: 'w_10' }, '/raw/upload');
  expect(status).toBe(400);
});

test('a picture too large or too broken to be drawn is delivered as stored under f_auto,q_auto, and refused otherwise', async () => {
  const large = await sharp({ create: { width: 6_000, height: 6_000, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const lake = await readFile(join(media, 'photos/lake.jpg'));
  for (const original of [large, lake.subarray(0, lake.length / 2)]) {
    await upload(shared, { file: new File([original], 'a'), public_id: 'hard' });
    expect((await get(shared, 'image/upload/f_auto,q_auto/hard')).bytes.equals(original)).toBe(true);
    const refused = await get(shared, 'image/upload/f_webp/hard');
    expect(refused).toMatchObject({ status: 400, error: expect.not.stringContaining(shared.dir) });
  }
});

test.each([
  ['a_90', 6_000],
  ['e_blur:2000', 6_000],
  ['f_webp', 6_000],
  ['a_45', 4_000],
  ['bo_600px_solid_red', 4_000],
])(
  '%s of a picture of %i pixels a side needs more than there may be, and is done to a smaller form',
  async (transformation, side) => {
    const picture = await sharp({ create: { width: side, height: side, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await upload(shared, { file: new File([picture], 'a'), public_id: 'wide' });
    const { error } = await get(shared, `image/upload/${transformation}/wide`);
    expect(error).toMatch(/^Maximum image size is 25\.00 Megapixels/);
    expect((await get(shared, `image/upload/w_50,c_scale/${transformation}/wide`)).status).toBe(200);
  },
);

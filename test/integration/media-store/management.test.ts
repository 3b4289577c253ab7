import { expect, test } from 'vitest';
import { admin, post, type RunningStore, signed, startStore, upload } from './harness.ts';

const png =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

async function withImages(...publicIds: string[]): Promise<RunningStore> {
  const store = await startStore();
  for (const public_id of publicIds) await upload(store, { file: png, public_id });
  return store;
}

const call = (store: RunningStore, action: string, form: Record<string, string>) =>
  post(store, `/image/${action}`, signed(form));
const resource = async (store: RunningStore, publicId: string) =>
  (await admin(store, 'GET', `/resources/image/upload/${publicId}`)).body;

test('rename moves the asset: the new URL answers, the old one does not', async () => {
  const store = await withImages('old');
  const { body } = await call(store, 'rename', { from_public_id: 'old', to_public_id: 'new/name' });
  expect(body.public_id).toBe('new/name');
  expect((await fetch(body.url)).status).toBe(200);
  expect((await fetch(`${store.url}/demo/image/upload/old.png`)).status).toBe(404);
});

test('rename does not take a name that is taken, unless told to overwrite', async () => {
  const store = await withImages('a', 'b');
  const form = { from_public_id: 'a', to_public_id: 'b' };
  const refused = await call(store, 'rename', form);
  expect([refused.status, refused.body.error.message]).toEqual([400, 'to_public_id (b) already exists']);
  expect((await call(store, 'rename', { ...form, overwrite: '1' })).status).toBe(200);
  expect((await call(store, 'rename', form)).status).toBe(404);
});

test('rename can change the delivery type', async () => {
  const store = await withImages('a');
  const { body } = await call(store, 'rename', { from_public_id: 'a', to_public_id: 'a', to_type: 'private' });
  expect(body.type).toBe('private');
  expect((await fetch(body.url)).status).toBe(200);
});

test('explicit changes what is sent and keeps the rest, and makes eager pictures', async () => {
  const store = await startStore();
  await upload(store, { file: png, public_id: 'a', tags: 'one', context: 'k=v' });
  const { body } = await call(store, 'explicit', { public_id: 'a', type: 'upload', tags: 'two', eager: 'w_5' });
  expect(body).toMatchObject({ tags: ['two'], context: { custom: { k: 'v' } }, eager: [{ width: 5 }] });
  expect((await call(store, 'explicit', { public_id: 'none', type: 'upload' })).body.error.message).toBe(
    'Resource not found - none',
  );
});

test('tags are added, removed, replaced, made exclusive and cleared over many assets', async () => {
  const store = await withImages('a', 'b');
  const tag = (command: string, form: Record<string, string>) => call(store, 'tags', { command, ...form });
  const tagsOf = async () => [(await resource(store, 'a')).tags, (await resource(store, 'b')).tags];
  expect((await tag('add', { tag: 'x,y', public_ids: 'a' })).body).toEqual({ public_ids: ['a'] });
  await tag('add', { tag: 'x', public_ids: 'b' });
  expect(await tagsOf()).toEqual([['x', 'y'], ['x']]);
  await tag('set_exclusive', { tag: 'x', public_ids: 'b' });
  expect(await tagsOf()).toEqual([['y'], ['x']]);
  await tag('replace', { tag: 'z', public_ids: 'a' });
  await tag('remove', { tag: 'x', public_ids: 'b' });
  expect(await tagsOf()).toEqual([['z'], []]);
  await tag('remove_all', { public_ids: 'a' });
  expect(await tagsOf()).toEqual([[], []]);
  expect((await tag('add', { tag: 'x', public_ids: 'none' })).body).toEqual({ public_ids: [] });
  expect((await tag('paint', { tag: 'x', public_ids: 'a' })).status).toBe(400);
});

test('context is added and cleared, with escapes', async () => {
  const store = await withImages('a');
  await call(store, 'context', { command: 'add', context: 'caption=one \\| two|alt=x\\=y', public_ids: 'a' });
  expect((await resource(store, 'a')).context).toEqual({ custom: { caption: 'one | two', alt: 'x=y' } });
  await call(store, 'context', { command: 'remove_all', public_ids: 'a' });
  expect((await resource(store, 'a')).context).toBeUndefined();
});

test('a parameter that a call does not know is named', async () => {
  const store = await withImages('a');
  const { status, body } = await call(store, 'destroy', { public_id: 'a', notify: 'me' });
  expect([status, body.error.message]).toEqual([400, expect.stringContaining('notify')]);
  expect((await resource(store, 'a')).public_id).toBe('a');
});

test('none of these calls works without authentication', async () => {
  const store = await withImages('a');
  for (const action of ['destroy', 'rename', 'explicit', 'tags', 'context']) {
    expect((await post(store, `/image/${action}`, { public_id: 'a' })).status).toBe(401);
  }
  expect((await fetch(`${store.url}/v1_1/demo/resources/image`)).status).toBe(401);
  expect((await resource(store, 'a')).public_id).toBe('a');
});

test('an unsigned upload needs an unsigned preset, and gets its parameters', async () => {
  const store = await startStore();
  await admin(store, 'POST', '/upload_presets', {
    name: 'open',
    unsigned: 'true',
    folder: 'in',
    tags: 'p',
    context: 'a=1',
  });
  const { status, body } = await post(store, '/image/upload', {
    file: png,
    upload_preset: 'open',
    folder: 'elsewhere',
    tags: 'mine',
    context: 'b=2',
    public_id: 'x',
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ public_id: 'in/x', tags: ['p', 'mine'], context: { custom: { a: '1', b: '2' } } });
});

test('an unsigned upload never replaces what is there', async () => {
  const store = await withImages('x');
  await admin(store, 'POST', '/upload_presets', { name: 'open', unsigned: 'true', overwrite: 'true' });
  const { body } = await post(store, '/image/upload', { file: png, upload_preset: 'open', public_id: 'x' });
  expect(body.existing).toBe(true);
});

test('every problem of an unsigned upload is in one message', async () => {
  const store = await startStore();
  const { status, body } = await post(store, '/image/upload', {
    file: png,
    transformation: 'w_1',
    access_mode: 'public',
  });
  expect(status).toBe(400);
  const only =
    'Only upload_preset,callback,public_id,folder,asset_folder,tags,context,metadata,face_coordinates,custom_coordinates,source,filename_override,manifest_transformation,manifest_json,template,template_vars,regions,public_id_prefix upload parameters are allowed.';
  expect(body.error.message).toBe(
    `Transformation parameter is not allowed when using unsigned upload. ${only}, ` +
      `Access mode parameter is not allowed when using unsigned upload. ${only}, ` +
      'Upload preset must be specified when using unsigned upload',
  );
});

test.each([
  ['none', 'Upload preset not found'],
  ['closed', 'Upload preset must be whitelisted for unsigned uploads'],
])('an unsigned upload with the preset "%s" is refused', async (upload_preset, message) => {
  const store = await startStore();
  await admin(store, 'POST', '/upload_presets', { name: 'closed', tags: 'a' });
  const { status, body } = await post(store, '/image/upload', { file: png, upload_preset });
  expect([status, body.error.message]).toEqual([400, message]);
});

test('an unsigned upload cannot choose another delivery type by its path', async () => {
  const store = await startStore();
  await admin(store, 'POST', '/upload_presets', { name: 'open', unsigned: 'true' });
  const { status, body } = await post(store, '/image/authenticated', { file: png, upload_preset: 'open' });
  expect(status).toBe(400);
  expect(body.error.message).toMatch(/^Type parameter is not allowed/);
});

test('in a signed upload the request wins over the preset', async () => {
  const store = await startStore();
  await admin(store, 'POST', '/upload_presets', { name: 'p', tags: 'preset', folder: 'in' });
  const { body } = await upload(store, { file: png, upload_preset: 'p', tags: 'mine', public_id: 'x' });
  expect(body).toMatchObject({ public_id: 'in/x', tags: ['mine'] });
});

test('presets are created, read, listed, updated and deleted; what no upload could use is refused', async () => {
  const store = await startStore();
  expect((await admin(store, 'POST', '/upload_presets', { name: 'p', tags: 'a' })).body).toEqual({
    message: 'created',
    name: 'p',
  });
  expect((await admin(store, 'POST', '/upload_presets', { name: 'p' })).status).toBe(409);
  expect((await admin(store, 'PUT', '/upload_presets/p', { unsigned: 'true', folder: 'f' })).body).toEqual({
    message: 'updated',
  });
  const preset = { name: 'p', unsigned: true, settings: { tags: 'a', folder: 'f' } };
  expect((await admin(store, 'GET', '/upload_presets/p')).body).toEqual(preset);
  expect((await admin(store, 'GET', '/upload_presets')).body).toEqual({ presets: [preset] });
  expect((await admin(store, 'DELETE', '/upload_presets/p')).body).toEqual({ message: 'deleted' });
  expect((await admin(store, 'GET', '/upload_presets/p')).status).toBe(404);
  const wrong = await admin(store, 'POST', '/upload_presets', { name: 'q', ocr: 'adv_ocr' });
  expect([wrong.status, wrong.body.error.message]).toEqual([400, expect.stringContaining('ocr')]);
});

test('resources are listed by prefix, tag and context, and deleted by prefix', async () => {
  const store = await withImages('p/one', 'p/two', 'q');
  await upload(store, { file: png, public_id: 't', tags: 'red', context: 'mood=blue' });
  const ids = async (path: string) =>
    (await admin(store, 'GET', path)).body.resources.map(({ public_id }: { public_id: string }) => public_id);
  expect(await ids('/resources/image?prefix=p/')).toEqual(['p/one', 'p/two']);
  expect(await ids('/resources/image/tags/red')).toEqual(['t']);
  expect(await ids('/resources/image/context?key=mood&value=blue')).toEqual(['t']);
  expect(await ids('/resources/image/context?key=mood&value=red')).toEqual([]);
  expect(await ids('/resources/image/upload?public_ids[]=q&public_ids[]=none')).toEqual(['q']);
  const { body } = await admin(store, 'DELETE', '/resources/image/upload?prefix=p/');
  expect(body.deleted).toEqual({ 'p/one': 'deleted', 'p/two': 'deleted' });
  expect(await ids('/resources/image/upload')).toEqual(['q', 't']);
  expect((await admin(store, 'DELETE', '/resources/image/upload')).status).toBe(400);
});

test('colors, perceptual hash and metadata come where they are asked for, at upload and later', async () => {
  const store = await startStore();
  const plain = await upload(store, { file: png, public_id: 'a' });
  expect(plain.body.colors).toBeUndefined();
  const { body } = await upload(store, { file: png, public_id: 'b', colors: '1', phash: 'true', image_metadata: '1' });
  expect(body.colors[0]).toEqual([expect.stringMatching(/^#[0-9A-F]{6}$/), 100]);
  expect(body.phash).toMatch(/^[0-9a-f]{16}$/);
  expect(body.image_metadata).toMatchObject({ HasAlpha: 'true' });
  const later = await admin(store, 'GET', '/resources/image/upload/a?colors=1&phash=1');
  expect(later.body).toMatchObject({ colors: body.colors, phash: body.phash });
});

test('in fixed folder mode the answer names the folder, in dynamic mode asset folder and display name', async () => {
  const fixed = await startStore({ folderMode: 'fixed' });
  expect((await upload(fixed, { file: png, public_id: 'a', folder: 'f/g' })).body).toMatchObject({
    public_id: 'f/g/a',
    folder: 'f/g',
  });
  const dynamic = await startStore();
  const { body } = await upload(dynamic, { file: png, public_id: 'x/a', asset_folder: 'shelf', display_name: 'A' });
  expect(body).toMatchObject({ public_id: 'x/a', asset_folder: 'shelf', display_name: 'A' });
});

test('use_filename and unique_filename name the asset', async () => {
  const store = await startStore();
  const file = new File(['x'], 'my file (1).txt');
  const unique = await upload(store, { file, use_filename: 'true' }, '/raw/upload');
  expect(unique.body.public_id).toMatch(/^my_file_\(1\)_[a-z0-9]{6}\.txt$/);
  const plain = await upload(store, { file, use_filename: 'true', unique_filename: 'false' }, '/raw/upload');
  expect(plain.body.public_id).toBe('my_file_(1).txt');
});

test('allowed_formats refuses the others', async () => {
  const store = await startStore();
  const { status, body } = await upload(store, { file: png, allowed_formats: 'jpg,webp' });
  expect([status, body.error.message]).toEqual([400, 'Image file format png not allowed']);
});

test('headers given at upload come with each delivery', async () => {
  const store = await startStore();
  const { body } = await upload(store, { file: png, headers: 'X-Robots-Tag: noindex' });
  expect((await fetch(body.url)).headers.get('x-robots-tag')).toBe('noindex');
  expect((await upload(store, { file: png, headers: 'Set-Cookie: a=b' })).status).toBe(400);
});

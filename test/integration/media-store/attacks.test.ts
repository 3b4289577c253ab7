import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { admin, cloudName, post, signed, startStore, temporaryDirectory, upload } from './harness.ts';

const sample = (name: string) => readFileSync(join(import.meta.dirname, '../../../sample/media', name));
const originals = [
  ['image', 'photos/lake.jpg', 'jpg'],
  ['image', 'graphics/badge.png', 'png'],
  ['image', 'documents/guide.pdf', 'pdf'],
  ['video', 'video/lake.mp4', 'mp4'],
  ['raw', 'documents/guide.pdf', 'pdf'],
] as const;

test.each(originals)(
  'no transformation that changes nothing gives an unsigned URL a private original (%s, %s)',
  async (type, name, extension) => {
    const store = await startStore();
    const bytes = sample(name);
    const file = new File([bytes], `a.${extension}`);
    const { body } = await upload(
      store,
      { file, public_id: type === 'raw' ? `a.${extension}` : 'a' },
      `/${type}/private`,
    );
    const steps = [
      '',
      'f_auto',
      'q_auto',
      'f_auto,q_auto',
      `f_${extension}`,
      'f_jpeg',
      'dpr_1',
      'a_0',
      'c_fit',
      'w_1.0',
      'g_center',
      'q_100',
    ];
    const urls = steps.flatMap((step) => [`${step}/a.${extension}`, `${step}/${step}/v1/a.${extension}`, `${step}/a`]);
    for (const url of urls) {
      const answer = await fetch(`${store.url}/${cloudName}/${type}/private/${url.replace(/^\/+/, '')}`);
      expect(bytes.equals(Buffer.from(await answer.arrayBuffer())), url).toBe(false);
    }
    // Whoever has the signature has the original.
    const signed = await fetch(String(body.url));
    expect(bytes.equals(Buffer.from(await signed.arrayBuffer()))).toBe(true);
  },
);

/** Names that lead elsewhere, to whoever makes a path of them. */
const climbing = [
  ...['../outside.txt', '../../outside.txt', '/etc/passwd', '..', '.', '../store-evil/a', 'a/../../../outside.txt'],
  ...[
    '..\\outside.txt',
    'C:\\outside.txt',
    '%2e%2e%2foutside.txt',
    '..%2foutside.txt',
    'a\0.jpg',
    'index.db',
    'api-secret',
  ],
  ...['blobs/../../outside.txt', '../'.repeat(20), 'con', '~/outside.txt', '$(touch outside)', `${'a'.repeat(300)}/b`],
];

/** Everything below the directory, with the content of files. */
async function everything(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')])));
}

test('whatever a name says, the store writes only where it wants to, and below its own directory', async () => {
  const parent = await temporaryDirectory();
  const dir = join(parent, 'store');
  const outside = join(parent, 'outside');
  await mkdir(outside);
  await writeFile(join(parent, 'outside.txt'), 'untouched');
  await writeFile(join(outside, 'kept'), 'untouched');
  const before = await everything(parent);
  // Somebody has put a link where the store keeps what is temporary.
  await mkdir(dir);
  await symlink(outside, join(dir, 'staging'));
  const store = await startStore({ dir });

  for (const name of climbing) {
    const file = new File(['text'], name);
    const parameters: Record<string, string>[] = [
      { public_id: name },
      { folder: name },
      { public_id_prefix: name },
      { use_filename: '1', unique_filename: '0' },
    ];
    for (const more of [...parameters, { filename_override: name }, { asset_folder: name, display_name: 'a' }]) {
      expect([200, 400]).toContain((await upload(store, { file, ...more }, '/raw/upload')).status);
    }
    const chunk = { 'content-range': 'bytes 0-9/10', 'x-unique-upload-id': encodeURIComponent(name).slice(0, 200) };
    const ten = signed({ file: new File(['0123456789'], name), public_id: 'chunked' });
    expect([200, 400]).toContain((await post(store, '/raw/upload', ten, chunk)).status);
    await admin(store, 'POST', '/upload_presets', { name, folder: name });
    await admin(store, 'POST', '/upload_mappings', { folder: name, template: 'http://127.0.0.1:1/' });
    await admin(store, 'POST', '/transformations', { name, transformation: 'w_10' });
    for (const path of [name, encodeURIComponent(name), `w_10/${name}`, `v1/${name}.png`]) {
      const answer = await fetch(`${store.url}/${cloudName}/raw/upload/${path}`);
      expect(await answer.text(), path).not.toMatch(/untouched|root:|embedded-secret/);
    }
    await post(store, '/raw/rename', signed({ from_public_id: 'a', to_public_id: name }));
    await post(store, '/raw/destroy', signed({ public_id: name }));
  }

  const after = await everything(parent);
  for (const [file, content] of Object.entries(before)) expect(after[file], file).toBe(content);
  const own =
    /^store\/(?:(?:blobs|derived)\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{64}|partials\/[0-9a-f]{64}|(?:index|lock)\.db(?:-\w+)?)$/;
  for (const file of Object.keys(after)) {
    if (!(file in before)) expect(file.slice(parent.length + 1)).toMatch(own);
  }
});

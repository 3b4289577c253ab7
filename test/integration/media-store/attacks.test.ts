import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cloudName, startStore, upload } from './harness.ts';

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

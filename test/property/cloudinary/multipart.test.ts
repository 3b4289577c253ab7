import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multipart } from '../../../src/store/cloudinary/multipart.ts';

async function read(body: ReturnType<typeof multipart>): Promise<{ form: FormData; length: number }> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body.open()) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const form = await new Response(bytes, { headers: { 'content-type': body.contentType } }).formData();
  return { form, length: bytes.length };
}

describe('a multipart body', () => {
  it('gives a standard parser every field and every byte back, and is as long as it says', async () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text === text.toWellFormed());
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), value),
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text === text.toWellFormed()),
        fc.array(fc.uint8Array()),
        async (fields, filename, pieces) => {
          const content = Buffer.concat(pieces);
          const body = multipart(fields, {
            filename,
            length: content.length,
            async *open() {
              yield* pieces;
            },
          });
          const { form, length } = await read(body);
          expect(length).toBe(body.length);
          for (const [name, expected] of Object.entries(fields)) {
            if (name !== 'file') expect(form.get(name)).toBe(expected);
          }
          const file = form.getAll('file').at(-1);
          if (!(file instanceof File)) throw new Error('no file part');
          expect(Buffer.from(await file.arrayBuffer()).equals(content)).toBe(true);
        },
      ),
    );
  });

  it('hands a URL over as a plain field, as it is', async () => {
    const url = 'ftp://user:p%40ss@files.test/a b.jpg?x=1&y="2"';
    const { form } = await read(multipart({ public_id: 'a' }, { url }));
    expect(form.get('file')).toBe(url);
  });

  it('can be sent twice', async () => {
    const body = multipart(
      {},
      {
        filename: 'a',
        length: 1,
        async *open() {
          yield Buffer.from('x');
        },
      },
    );
    expect((await read(body)).length).toBe((await read(body)).length);
  });
});

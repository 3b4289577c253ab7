import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { withholdEnd } from '../../../src/origin/withhold-end.ts';

async function* pieces(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

test.each([
  ['as long as stated', 6],
  ['longer than stated', 3],
  ['shorter than stated', 9],
  ['empty by its head', 0],
  ['of no stated length', undefined],
])('a body %s comes through byte for byte once it has ended', async (_, length) => {
  expect(await text(withholdEnd(pieces('abc', 'def'), length))).toBe('abcdef');
});

test('all but the last stated byte comes at once, so that nobody waits', async () => {
  const source = new Readable({ read() {} });
  source.push('abcdef');
  const body = withholdEnd(source, 6);
  expect((await body.next()).value?.toString()).toBe('abcde');
  source.push(null);
  expect(await text(body)).toBe('f');
});

test('a body that turns out wrong at its end never gets the byte that would make it look whole', async () => {
  async function* wrong() {
    yield Buffer.from('abcdef');
    throw new Error('more than it states');
  }
  const received: string[] = [];
  await expect(async () => {
    for await (const piece of withholdEnd(wrong(), 6)) received.push(piece.toString());
  }).rejects.toThrow('more than it states');
  expect(received.join('')).toBe('abcde');
});

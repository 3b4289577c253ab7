import { expect, test, vi } from 'vitest';
import { encodeAssetKey } from '../../../src/asset/key.ts';
import type { StoredCopy } from '../../../src/asset/record.ts';
import { assetKeyOf, assetOf } from '../../../src/delivery/asset-of.ts';
import type { Exchange } from '../../../src/delivery/exchange.ts';
import { WarmAnswers } from '../../../src/delivery/warm-redirect.ts';
import { storedAs } from '../../contract/ledger-samples.ts';
import { mappingOf } from '../../support/mapping.ts';

const mapping = mappingOf({ transformation: 'f_auto' });

function copyOf(publicId: string): StoredCopy {
  const settlement = storedAs(publicId);
  if (settlement.state !== 'stored') throw new Error('the sample is stored');
  return { ...settlement.copy, storedAt: 0 };
}

function asked(name: string, transformation: string, format?: string): Exchange {
  const asset = assetOf(mapping, assetKeyOf(mapping, `/images/${name}`, ''));
  return { mapping, asset, id: encodeAssetKey(asset.key), transformation, format } as Exchange;
}

test('the answer of a copy is built once, and anew when the copy or its mapping changes', () => {
  const deliveryUrl = vi.fn((copy: StoredCopy) => `https://store.example/v${copy.version}/${copy.publicId}`);
  const answers = new WarmAnswers(deliveryUrl);
  const copy = copyOf('a');
  for (const form of ['f_auto', 'w_1/f_auto']) {
    const first = answers.of(copy, asked('a.jpg', form));
    expect(answers.of(copy, asked('a.jpg', form))).toBe(first);
    expect(answers.of(copy, { ...asked('a.jpg', form), mapping: { ...mapping } })).not.toBe(first);
    expect(answers.of({ ...copy, version: 2 }, asked('a.jpg', form)).location).toBe('https://store.example/v2/a');
  }
});

test('forms that clients make up never take the memory that copies have, nor more than a bound over all copies', () => {
  const deliveryUrl = vi.fn(
    (copy: StoredCopy, { transformation = '' }: { transformation?: string }) =>
      `https://store.example/${transformation}/${copy.publicId}`,
  );
  const answers = new WarmAnswers(deliveryUrl);
  const copies = Array.from({ length: 200 }, (_, index) => ({ name: `${index}.jpg`, copy: copyOf(String(index)) }));
  for (const { name, copy } of copies) answers.of(copy, asked(name, 'f_auto'));
  const forms = Array.from({ length: 16 }, (_, index) => `w_${index},${'e_'.repeat(4_000)}`);
  for (const { name, copy } of copies) for (const form of forms) answers.of(copy, asked(name, form));

  deliveryUrl.mockClear();
  for (const { name, copy } of copies) answers.of(copy, asked(name, 'f_auto'));
  expect(deliveryUrl).not.toHaveBeenCalled();
  // The newest first, so that asking does not push out what is still to be counted.
  for (const { name, copy } of copies.toReversed()) {
    for (const form of forms.toReversed()) answers.of(copy, asked(name, form));
  }
  const remembered = copies.length * forms.length - deliveryUrl.mock.calls.length;
  expect(remembered).toBeGreaterThan(0);
  expect(remembered * 2 * 8_000, 'characters').toBeLessThanOrEqual(16 << 20);
});

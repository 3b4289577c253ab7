import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDeliveryUrl } from '../../../src/cloudinary/delivery-url.ts';
import { queryTransformation } from '../../../src/cloudinary/query-transformation.ts';

it('whatever a client writes into the query, the transformation is one plain component of a delivery URL', () => {
  const name = fc.constantFrom('w', 'h', 'fit', 'crop', 'fm', 'q', 'dpr', 'rot', 'flip', 'bg', 'blur', 'auto');
  const value = fc.oneof(
    fc.string(),
    fc.nat().map(String),
    fc.constantFrom('crop', 'max', 'faces', 'auto', 'format,compress', 'webp', '#fc0', 'h', '1/l_x', 'constructor'),
  );
  const query = fc.oneof(
    fc.string(),
    fc.array(fc.tuple(name, value)).map((pairs) => new URLSearchParams(pairs).toString()),
  );
  let some = 0;
  fc.assert(
    fc.property(query, (text) => {
      const transformation = queryTransformation(text);
      if (transformation === '') return;
      some += 1;
      expect(transformation).toMatch(/^[a-z]+_[a-z0-9_:.]+(?:,[a-z]+_[a-z0-9_:.]+)*$/);
      const parsed = parseDeliveryUrl(`/demo/image/upload/${transformation}/v1/a.jpg`);
      expect(parsed.ok && parsed.url.transformations).toEqual([transformation]);
    }),
    { numRuns: 3000 },
  );
  expect(some).toBeGreaterThan(50);
});

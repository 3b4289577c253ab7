import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StoreError } from '../../../src/media-store/store-error.ts';
import { cropModes, gravities } from '../../../src/media-store/transformation/component.ts';
import { geometryOf } from '../../../src/media-store/transformation/geometry.ts';
import { parseTransformation } from '../../../src/media-store/transformation/parse.ts';

const side = fc.integer({ min: 1, max: 5000 });
const length = fc.option(
  side.map((pixels) => ({ pixels })),
  { nil: undefined },
);

test('whatever is asked for, every box lies inside of what it is cut from or set on', () => {
  fc.assert(
    fc.property(
      fc.record({ width: side, height: side }),
      fc.constantFrom(...cropModes),
      fc.constantFrom(...gravities),
      length,
      length,
      fc.option(
        fc.integer({ min: -6000, max: 6000 }).map((pixels) => ({ pixels })),
        { nil: undefined },
      ),
      (input, crop, gravity, width, height, x) => {
        const component = { crop, gravity, flips: [], ignoreOrientation: false };
        const geometry = geometryOf(
          { ...component, ...(width && { width }), ...(height && { height }), ...(x && { x }) },
          input,
        );
        if (geometry === undefined) return;
        const { before, scale, after, canvas } = geometry;
        expect(scale.width >= 1 && scale.height >= 1).toBe(true);
        for (const [inner, outer] of [
          [before, input],
          [after, scale],
          [canvas && { ...scale, left: canvas.left, top: canvas.top }, canvas],
        ] as const) {
          if (inner === undefined || outer === undefined) continue;
          expect(inner.left >= 0 && inner.top >= 0).toBe(true);
          expect(inner.left + inner.width).toBeLessThanOrEqual(outer.width);
          expect(inner.top + inner.height).toBeLessThanOrEqual(outer.height);
        }
      },
    ),
  );
});

test('a transformation is read or refused with 400, whatever the text', () => {
  const text = fc.array(
    fc.tuple(
      fc.constantFrom('w', 'h', 'c', 'g', 'x', 'y', 'ar', 'q', 'f', 'a', 'r', 'e', 'dpr', 'b', 'bo', 'o', 't', 'zz'),
      fc.string(),
    ),
  );
  fc.assert(
    fc.property(text, (parameters) => {
      try {
        parseTransformation(parameters.map(([key, value]) => `${key}_${value}`).join(','));
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError);
        expect((error as StoreError).status).toBe(400);
      }
    }),
  );
});

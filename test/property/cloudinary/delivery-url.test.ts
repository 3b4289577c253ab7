import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildDeliveryUrl,
  type DeliveryUrl,
  decodePublicId,
  encodePublicId,
  parseDeliveryUrl,
  publicIdOf,
} from '../../../src/cloudinary/delivery-url.ts';

/** Pieces of delivery URLs and of what looks like them, in any order: far more hits than random text has. */
const piece = fc.oneof(
  fc.constantFrom(
    ...['image', 'video', 'raw', 'upload', 'private', 'fetch', 'images', 'files', 'iu', 'demo', 'v12', 'v1', ''],
    ...['fb_x', 'w_300', 't_thumb', '$a_1,w_$a', 's--Ai4Znfl3--', 'https:', '..', 'a.jpg', 'a%20b', 'a%2520b', '100%'],
  ),
  fc.string({ maxLength: 8 }),
);
const path = fc.array(piece, { maxLength: 9 }).map((pieces) => `/${pieces.join('/')}`);
const origin = fc.constantFrom('', '', 'https://res.cloudinary.com', 'HTTP://media.example.com:8080');
const text = fc.oneof(
  fc.string(),
  fc.tuple(origin, path, fc.constantFrom('', '?_a=1', '#x?y')).map((parts) => parts.join('')),
  path.map((rest) => `/demo/image/upload${rest}`),
);
const options = fc.record({
  cloud: fc.constantFrom('present', 'absent', 'either' as const),
  rootPath: fc.boolean(),
});

describe('parseDeliveryUrl and buildDeliveryUrl', () => {
  it('never throws, and building what was parsed gives the same URL', () => {
    let parsedOnes = 0;
    fc.assert(
      fc.property(text, options, (url, parseOptions) => {
        const result = parseDeliveryUrl(url, parseOptions);
        if (!result.ok) return result.problem !== '';
        parsedOnes += 1;
        publicIdOf(result.url);
        return buildDeliveryUrl(result.url) === url;
      }),
      { numRuns: 5000 },
    );
    expect(parsedOnes).toBeGreaterThan(1000);
  });

  it('parsing what was built gives the same parts, for any public ID under any folder', () => {
    const segment = fc
      .oneof(
        fc.constantFrom('fb_x', 'v12', 's--Ai4Znfl3--', 'images', 'ü b'),
        fc.string({ unit: 'grapheme', minLength: 1 }),
      )
      .filter((part) => !part.includes('/') && encodePublicId(part).length > 0);
    const parts = fc.record<DeliveryUrl>(
      {
        origin,
        cloud: fc.constant('demo'),
        form: fc.constantFrom('full', 'short', 'seo'),
        resourceType: fc.constant('image'),
        deliveryType: fc.constant('upload'),
        signature: fc.constantFrom('Ai4Znfl3', '2hbrSMPOjj5BJ4xV7SgFbRDevFaQNUFf'),
        transformations: fc.array(fc.constantFrom('c_fill,w_300', 't_thumb', 'l_text:Arial_40:a%252Cb'), {
          maxLength: 3,
        }),
        version: fc.stringMatching(/^[0-9]{1,12}$/),
        source: fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => encodePublicId(segments.join('/'))),
        query: fc.constantFrom('', '?_a=1'),
      },
      {
        requiredKeys: ['origin', 'cloud', 'form', 'resourceType', 'deliveryType', 'transformations', 'source', 'query'],
      },
    );
    fc.assert(
      fc.property(parts, (given) => {
        const url = given.form === 'seo' ? { ...given, seoSuffix: 'nice-name.jpg' } : given;
        const result = parseDeliveryUrl(buildDeliveryUrl(url), { cloud: 'present' });
        if (!result.ok) throw new Error(result.problem);
        const { version, ...rest } = result.url;
        const { version: givenVersion, ...givenRest } = url;
        expect(rest).toEqual(givenRest);
        expect(version ?? '1').toBe(givenVersion ?? '1');
      }),
      { numRuns: 2000 },
    );
  });

  it('gives back every public ID that Cloudinary allows, once encoded', () => {
    const publicId = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((id) => id === id.toWellFormed() && !/[%?&#\\<>+]|^\/|\/$|\/\/|:\/\//.test(id));
    fc.assert(fc.property(publicId, (id) => decodePublicId(encodePublicId(id)) === id));
  });
});

import { z } from 'zod';
import { duration, text } from './values.ts';

const cacheControl = text(/^[!-~]+(?: [!-~]+)*$/, {
  message: 'is not a Cache-Control value',
  mend: 'write one such as public, max-age=300',
});

/** `Cache-Control` of what delivery answers. */
export const cache = z.strictObject({
  warm: cacheControl
    .default('public, max-age=300, s-maxage=3600, stale-while-revalidate=60, stale-if-error=86400')
    .describe('Of redirects to the store, and of streamed copies whose origin said nothing.'),
  cold: cacheControl
    .default('public, max-age=60, s-maxage=5')
    .describe('Of answers from the origin while the copy is made: short, so that the CDN comes back.'),
  error: cacheControl.default('public, max-age=0, s-maxage=5').describe('Of errors.'),
});

export const drift = z.strictObject({
  policy: z
    .enum(['pin', 'revalidate', 'refresh'])
    .default('pin')
    .describe(
      'What happens when the origin changes an object after the copy. pin: nothing. revalidate: the origin is asked by age, and a new version uploaded; the old one serves until the new one is proven. refresh: the same, when the asset is purged.',
    ),
  after: duration.prefault('1d').describe('With revalidate, the age at which the origin is asked again.'),
});

export const signedDelivery = z
  .strictObject({
    keys: z
      .array(
        text(/^[\x21-\x7e]{32,}$/, {
          message: 'is too short or holds spaces',
          mend: 'take 32 printable ASCII characters or more: openssl rand -hex 32 makes some',
        }),
      )
      .min(1)
      .max(8)
      .describe('Keys that sign, each from the environment; several while one replaces another.'),
    unsigned: z
      .enum(['passthrough', 'refuse'])
      .default('passthrough')
      .describe('What an unsigned URL of something not stored gets: the origin’s bytes, or 403.'),
  })
  .nullable();

export const firstTouch = z.strictObject({
  perClient: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe(
      'Uploads that one client may start in a minute; 0: any number. What is above is served from the origin. Behind a CDN set listen.trustedProxies first.',
    ),
  perSecond: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Uploads that may start in a second, per process; 0: any number. What is above waits for a later request.',
    ),
  bots: z
    .boolean()
    .default(true)
    .describe('Whether requests of crawlers may start uploads. They are served in any case.'),
});

import { z } from 'zod';
import { cache, drift, firstTouch, signedDelivery } from './delivery-options.ts';
import { byteSize, duration, type Refusal, refuse, text, webUrl } from './values.ts';

/** An origin always ends with `/` once it is loaded. */
const originUrl = z
  .string()
  .transform((value, context) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || !/^(https?|s3):\/\/[^/]/.test(value)) {
      return refuse(context, {
        message: 'is not an origin',
        mend: 'write an absolute http, https or s3 URL, such as https://www.example.com/images/',
      });
    }
    if (url.username !== '' || url.password !== '') {
      return refuse(context, {
        message: 'an origin holds no user name or password',
        mend: 'put them under auth, from the environment',
      });
    }
    if (/[?#]/.test(value)) {
      return refuse(context, { message: 'an origin ends with its path', mend: 'remove the query and the fragment' });
    }
    // A path with dot segments would be rewritten on each request, and a prefix check against the text would miss.
    if (/[\s\\]|\/\.{1,2}(?:\/|$)/.test(value)) {
      return refuse(context, {
        message: 'is not an origin',
        mend: 'write its path without spaces, \\, . and .. parts',
      });
    }
    return value.endsWith('/') ? value : `${value}/`;
  })
  .meta({ title: 'http, https or s3 URL' });

const prefix = text(/^\/(?:(?!\.{1,2}\/)[A-Za-z0-9._~!$&'()*+,;=:@-]+\/)*$/, {
  message: 'is not a prefix',
  mend: 'it begins and ends with / and holds no spaces, %, ? or .. parts, such as /images/',
});

/** Public IDs hold none of `? & # \ % < > +` (contract §2.6), and a part such as `v12` reads as a version. */
export const folder = text(/^$|^[^?&#\\%<>+\s/][^?&#\\%<>+/]*(?:\/[^?&#\\%<>+\s/][^?&#\\%<>+/]*)*$/, {
  message: 'is not a folder',
  mend: 'no ? & # \\ % < > +, and no / at either end, such as site/images',
}).superRefine((value, context) => {
  if (value.length > 150) {
    refuse(context, { message: 'is too long', mend: 'write 150 characters at most: a public ID has 255' });
  }
  const parts = value.split('/');
  if (parts.some((part) => /^v\d+$/.test(part))) {
    refuse(context, {
      message: 'has a part such as v12',
      mend: 'name it otherwise: Cloudinary reads such a part as a version',
    });
  }
  if (parts.some((part) => /^\.{1,2}$|\s$/.test(part))) {
    refuse(context, { message: 'is not a folder', mend: 'no part is . or .., and none ends with a space' });
  }
});

const notInHeader: Refusal = {
  message: 'is empty or holds what no header may hold',
  mend: 'it has no line breaks and no control characters: look at the variable or its file',
};

const authentication = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('basic'),
      username: text(/^[^:]*$/, { message: 'holds a colon', mend: 'Basic credentials allow none there' }).describe(
        'User name.',
      ),
      password: z.string().describe('Password, from the environment.'),
    }),
    z.strictObject({
      kind: z.literal('bearer'),
      token: text(/^[!-~]+$/, notInHeader).describe('Token, from the environment.'),
    }),
    z.strictObject({
      kind: z.literal('header'),
      name: text(/^[A-Za-z0-9-]+$/, { message: 'is not a header name', mend: 'write one such as X-Api-Key' }).describe(
        'Name of the header.',
      ),
      value: text(/^[ -~\u0080-\u00ff]+$/, notInHeader).describe('Its value, with the secret from the environment.'),
    }),
    z.strictObject({
      kind: z.literal('s3'),
      accessKeyId: z.string().describe('Access key ID.'),
      secretAccessKey: z.string().describe('Secret access key, from the environment.'),
      region: z.string().default('us-east-1').describe('Region of the bucket.'),
      endpoint: webUrl.optional().describe('Host of another S3-compatible service.'),
    }),
  ])
  .nullable();

const upload = z.strictObject({
  via: z
    .enum(['auto', 'remote-url', 'bytes'])
    .default('auto')
    .describe(
      'Who reads the origin: the store by the remote URL, or lazyferry (bytes). auto: the remote URL first, bytes where the store cannot load it.',
    ),
  type: z.enum(['upload', 'private', 'authenticated']).default('upload').describe('Delivery type of the copies.'),
  preset: z.string().nullable().default(null).describe('Upload preset to apply.'),
  tags: z.array(z.string()).default([]).describe('Tags of each copy.'),
  context: z.record(z.string(), z.string()).default({}).describe('Contextual metadata of each copy.'),
  metadata: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .default({})
    .describe('Structured metadata by external ID.'),
  assetFolder: z.string().nullable().default(null).describe('Folder in the Media Library (dynamic folder mode).'),
  displayName: z
    .enum(['none', 'filename'])
    .default('none')
    .describe('Display name of each copy (dynamic folder mode).'),
  allowedFormats: z.array(z.string()).default([]).describe('Formats the store may take; empty: any.'),
  eager: z.array(z.string()).default([]).describe('Transformations to make at upload.'),
  notificationUrl: webUrl.nullable().default(null).describe('Where the store reports each upload.'),
  moderation: z.string().nullable().default(null).describe('Moderation to ask for.'),
  backup: z.boolean().nullable().default(null).describe('Ask the store for a backup copy; null: as the account says.'),
  async: z.boolean().default(false).describe('Let the store work in the background; the outcome is polled.'),
  overwrite: z.boolean().default(false).describe('Replace what the store already has under the same public ID.'),
});

const allow = z.strictObject({
  types: z
    .array(
      text(/^[a-z0-9.+-]+\/(?:\*|[a-z0-9.+-]+)$/i, {
        message: 'is not a content type',
        mend: 'write one such as image/jpeg or image/*',
      }),
    )
    .min(1)
    .default(['image/*', 'video/*', 'audio/*', 'application/pdf'])
    .describe('Content types that may be stored.'),
  extensions: z
    .array(
      text(/^[a-z0-9]+$/, {
        message: 'is not a file name extension',
        mend: 'write it in lower case and without the dot, such as jpg',
      }),
    )
    .optional()
    .describe('File name extensions that may start an upload. Default: any.'),
  private: z
    .boolean()
    .default(false)
    .describe(
      'Also store what the origin marks as not for shared caches: private or no-store (in Cache-Control, CDN-Cache-Control or Surrogate-Control), Set-Cookie, Vary: *.',
    ),
  maxBytes: byteSize.prefault('2GB').describe('Larger objects are passed through and never stored.'),
});

const network = z.strictObject({
  allowPrivate: z.boolean().default(false).describe('Allow an origin in a private or loopback network.'),
  maxRedirects: z.number().int().min(0).max(10).default(3).describe('Redirect hops followed at the origin.'),
  redirectHosts: z
    .array(
      text(/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/, {
        message: 'is not a host',
        mend: 'write a host name only, such as cdn.example.com',
      }),
    )
    .default([])
    .describe('Other hosts an origin redirect may lead to.'),
  connectTimeout: duration.prefault('5s').describe('Longest wait for a connection to the origin.'),
  headersTimeout: duration.prefault('15s').describe('Longest wait for the head of an answer.'),
  bodyTimeout: duration.prefault('30s').describe('Longest silence within a body.'),
  totalTimeout: duration
    .prefault('1h')
    .describe('Longest wait for the origin over one whole exchange; the time a slow client takes does not count.'),
  minRate: byteSize
    .prefault('1KiB')
    .describe('Slowest average of a body, in bytes a second; below, the read is given up as a timeout.'),
  rateGrace: duration.prefault('30s').describe('How long the origin is waited for before minRate counts.'),
  connections: z.number().int().min(1).max(1024).default(64).describe('Connections to the origin per process.'),
});

export const mappingSchema = z.strictObject({
  prefix: prefix.describe('Path prefix of the delivery URLs; the longest one that fits wins.'),
  origin: originUrl.describe('URL prefix of the origin.'),
  folder: folder.optional().describe('What public IDs start with. Default: the prefix without its outer slashes.'),
  resourceType: z
    .enum(['image', 'video', 'raw', 'auto'])
    .default('auto')
    .describe('Resource type at the store; auto: by the file name extension.'),
  cold: z
    .enum(['passthrough', 'wait', 'redirect'])
    .default('passthrough')
    .describe(
      'What a client gets while the copy is made: the origin’s bytes, a wait for the copy, or a redirect to the origin.',
    ),
  waitBudget: duration
    .prefault('10s')
    .describe('With cold: wait, how long a client waits before it is passed through.'),
  warm: z
    .enum(['redirect', 'stream'])
    .default('redirect')
    .describe('What a client gets once the copy is stored: a redirect to the store, or the bytes through lazyferry.'),
  redirectStatus: z.literal([301, 302, 307, 308]).default(302).describe('Status of redirects to the store.'),
  transformation: text(/^[^\s?#/]+(?:\/[^\s?#/]+)*$/, {
    message: 'is not a transformation',
    mend: 'write it as Cloudinary does, such as f_auto,q_auto',
  })
    .optional()
    .describe('Transformation added to each warm delivery, such as f_auto,q_auto.'),
  query: z
    .union([z.enum(['ignore', 'key']), z.array(z.string().min(1)).min(1)])
    .default('ignore')
    .describe('Whether the query names the object: ignore it, key (all of it), or a list of the parameters that do.'),
  queryTransformation: z
    .boolean()
    .default(false)
    .describe('Read ?w=300&h=200&fit=crop, as other image services know it, as a transformation of the copy.'),
  placeholder: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Image file sent with the 404 of an object that the origin does not have.'),
  cache: cache.prefault({}).describe('How long answers may be cached.'),
  drift: drift.prefault({}).describe('What happens when the origin changes an object.'),
  copyCheck: duration
    .nullable()
    .prefault('1d')
    .describe(
      'How often a copy that clients are redirected to is looked for at the store, by a HEAD of its delivery URL, so that one deleted there is made again; null: never.',
    ),
  signedDelivery: signedDelivery
    .default(null)
    .describe('Only signed URLs may start an upload (docs/signed-delivery.md); null: every URL may.'),
  firstTouch: firstTouch.prefault({}).describe('Who may start uploads, and how many.'),
  upload: upload.prefault({}).describe('Options of each upload.'),
  allow: allow.prefault({}).describe('What may be stored.'),
  network: network.prefault({}).describe('How the origin is reached.'),
  auth: authentication
    .default(null)
    .describe('Credentials for the origin, from the environment: basic, bearer, header or s3.'),
});

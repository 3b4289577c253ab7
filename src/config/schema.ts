import { z } from 'zod';

/**
 * The whole configuration. One schema: it checks the file, gives the defaults, and the reference in
 * `docs/configuration.md` is generated from its descriptions.
 */

const byteUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A number of bytes: `2000000`, `2MB` (decimal), `2MiB` (binary). */
export const byteSize = z.union([z.number().int().positive(), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/i.exec(value.trim());
  const unit = byteUnits[(match?.[2] ?? 'b').toLowerCase()];
  if (match === null || unit === undefined) {
    context.addIssue({
      code: 'custom',
      message: `not a size: write a number of bytes, or one with a unit such as 500KB, 20MB or 2GB`,
    });
    return z.NEVER;
  }
  return Math.floor(Number(match[1]) * unit);
});

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };

/** A duration in milliseconds: `1500`, `1500ms`, `30s`, `5m`, `2h`, `1d`. */
export const duration = z.union([z.number().int().nonnegative(), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value;
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(value.trim());
  const unit = durationUnits[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    context.addIssue({
      code: 'custom',
      message: `not a duration: write milliseconds, or a number with ms, s, m, h or d, such as 30s`,
    });
    return z.NEVER;
  }
  return Math.round(Number(match[1]) * unit);
});

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with an IPv6 host in brackets. Port 0 takes a free one. */
export const listenAddress = z.string().transform((value, context): ListenAddress => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    context.addIssue({
      code: 'custom',
      message: 'not an address: write host:port, such as 127.0.0.1:8080 or [::1]:8080',
    });
    return z.NEVER;
  }
  return { host: match[1] ?? match[2] ?? '', port };
});

const originUrl = z.string().transform((value, context) => {
  if (!/^(https?|s3):\/\//.test(value) || !URL.canParse(value)) {
    context.addIssue({
      code: 'custom',
      message: 'not an origin: write an absolute http, https or s3 URL, such as https://www.example.com/images/',
    });
    return z.NEVER;
  }
  const url = new URL(value);
  if (url.username !== '' || url.password !== '') {
    context.addIssue({
      code: 'custom',
      message: 'an origin holds no user name or password: put them under auth, from the environment',
    });
    return z.NEVER;
  }
  if (url.search !== '' || url.hash !== '') {
    context.addIssue({ code: 'custom', message: 'an origin ends with its path: remove the query and the fragment' });
    return z.NEVER;
  }
  return value.endsWith('/') ? value : `${value}/`;
});

const prefix = z
  .string()
  .regex(
    /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]+\/)*$/,
    'not a prefix: it begins and ends with / and holds no spaces, % or ?, such as /images/',
  );

const folder = z
  .string()
  .regex(
    /^$|^[^?&#\\%<>+\s/][^?&#\\%<>+/]*(?:\/[^?&#\\%<>+\s/][^?&#\\%<>+/]*)*$/,
    'not a folder: no ? & # \\ % < > +, no / at either end, such as site/images',
  )
  .refine(
    (value) => !value.split('/').some((segment) => /^v\d+$/.test(segment)),
    'a folder may not have a part such as v12: Cloudinary reads it as a version',
  );

const authentication = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('basic'), username: z.string(), password: z.string() }),
    z.strictObject({ kind: z.literal('bearer'), token: z.string() }),
    z.strictObject({ kind: z.literal('header'), name: z.string().regex(/^[A-Za-z0-9-]+$/), value: z.string() }),
    z.strictObject({
      kind: z.literal('s3'),
      accessKeyId: z.string(),
      secretAccessKey: z.string(),
      region: z.string().default('us-east-1'),
      endpoint: z.url().optional(),
    }),
  ])
  .nullable();

const uploadSchema = z.strictObject({
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
  allowedFormats: z.array(z.string()).default([]).describe('Formats the store may take.'),
  eager: z.array(z.string()).default([]).describe('Transformations to make at upload.'),
  notificationUrl: z.string().nullable().default(null).describe('Where the store reports each upload.'),
  moderation: z.string().nullable().default(null).describe('Moderation to ask for.'),
  backup: z.boolean().nullable().default(null).describe('Ask the store for a backup copy.'),
  async: z.boolean().default(false).describe('Let the store work in the background; the outcome is polled.'),
  overwrite: z.boolean().default(false).describe('Replace what the store already has under the same public ID.'),
});

export const mappingSchema = z.strictObject({
  prefix: prefix.describe('Path prefix of the delivery URLs; the longest one that fits wins.'),
  origin: originUrl.describe('URL prefix of the origin: http, https or s3.'),
  folder: folder.optional().describe('What public IDs start with. Default: the prefix without its slashes.'),
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
  waitBudget: duration.default(10_000).describe('cold: wait — how long a client waits before it is passed through.'),
  warm: z
    .enum(['redirect', 'stream'])
    .default('redirect')
    .describe('What a client gets once the copy is stored: a redirect to the store, or the bytes through lazyferry.'),
  redirectStatus: z
    .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)])
    .default(302)
    .describe('Status of redirects to the store.'),
  transformation: z.string().optional().describe('Transformation added to each warm delivery, such as f_auto,q_auto.'),
  query: z
    .union([z.enum(['ignore', 'key']), z.array(z.string()).min(1)])
    .default('ignore')
    .describe('Whether the query names the object: ignore it, key (all of it), or a list of the parameters that do.'),
  upload: uploadSchema.prefault({}),
  allow: z
    .strictObject({
      types: z
        .array(z.string().regex(/^[a-z0-9*+.-]+\/[a-z0-9*+.-]+$/i))
        .default(['image/*', 'video/*', 'audio/*', 'application/pdf'])
        .describe('Content types that may be stored.'),
      extensions: z
        .array(z.string())
        .optional()
        .describe('File name extensions that may start an upload. Default: any.'),
      maxBytes: byteSize.prefault('2GB').describe('Larger objects are passed through and never stored.'),
    })
    .prefault({}),
  network: z
    .strictObject({
      allowPrivate: z.boolean().default(false).describe('Allow an origin in a private or loopback network.'),
      maxRedirects: z.number().int().min(0).max(10).default(3).describe('Redirect hops followed at the origin.'),
      redirectHosts: z.array(z.string()).default([]).describe('Other hosts an origin redirect may lead to.'),
      connectTimeout: duration.default(5_000),
      headersTimeout: duration.default(15_000),
      bodyTimeout: duration.default(30_000).describe('Longest silence within a body.'),
      connections: z.number().int().min(1).max(1024).default(64).describe('Connections to the origin per process.'),
    })
    .prefault({}),
  auth: authentication
    .default(null)
    .describe('Credentials for the origin, from the environment: basic, bearer, header or s3.'),
});

const storeSchema = z.strictObject({
  url: z
    .string()
    .optional()
    .describe('CLOUDINARY_URL of the account: cloudinary://key:secret@cloud. Absent: the embedded store.'),
  uploadPrefix: z.url().optional().describe('API host of another region, such as https://api-eu.cloudinary.com.'),
  deliveryPrefix: z.url().optional().describe('Host of delivery URLs where it is not res.cloudinary.com.'),
  uploads: z.number().int().min(1).max(256).default(10).describe('Uploads at a time per process.'),
  timeout: duration.default(120_000).describe('Longest wait for an answer to one upload request.'),
  chunkSize: byteSize.prefault('20MB').describe('Larger files are sent in chunks of this size; 5MB at least.'),
  embedded: z
    .strictObject({
      listen: listenAddress.prefault('127.0.0.1:8090'),
      dir: z
        .string()
        .optional()
        .describe('Where the embedded store keeps its files. Default: store in the data directory.'),
    })
    .prefault({}),
});

export const configSchema = z.strictObject({
  listen: z
    .strictObject({
      delivery: listenAddress.prefault('127.0.0.1:8080').describe('Where the CDN connects.'),
      admin: listenAddress
        .prefault('127.0.0.1:9090')
        .describe('API, dashboard, metrics and health: never through the CDN.'),
    })
    .prefault({}),
  store: storeSchema.prefault({}),
  ledger: z
    .strictObject({
      url: z
        .string()
        .regex(
          /^(sqlite:|rediss?:\/\/|redis\+sentinel:\/\/|redis\+cluster:\/\/)/,
          'not a ledger: sqlite:PATH, redis://, rediss://, redis+sentinel:// or redis+cluster://',
        )
        .optional()
        .describe('Default: REDIS_URL where it is set, else sqlite:ledger.db in the data directory.'),
      lease: duration.default(30_000).describe('Lease of a claim; renewed while the upload lives.'),
      memory: z.number().int().min(0).default(100_000).describe('Records remembered per process.'),
      memoryTtl: duration.default(60_000).describe('How long a record is remembered without asking again.'),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
  shutdown: z
    .strictObject({ grace: duration.default(20_000).describe('Longest time from SIGTERM to the exit.') })
    .prefault({}),
  mappings: z.array(mappingSchema).min(1, 'at least one mapping is needed'),
});

export type Config = z.output<typeof configSchema>;
/** A mapping with every default in place. */
export type Mapping = Omit<z.output<typeof mappingSchema>, 'folder'> & { readonly folder: string };

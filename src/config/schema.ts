import { z } from 'zod';
import { mappingSchema } from './mapping.ts';
import { byteSize, duration, listenAddress, type Refusal, refuse, text, webUrl } from './values.ts';

/**
 * The whole configuration. One schema: it checks the file, gives the defaults, and the reference in
 * `docs/configuration.md` is generated from its descriptions. Parts: `values.ts`, `mapping.ts`.
 */

/** Cloudinary refuses smaller chunks, the last one excepted (contract §3). */
const smallestChunk = 5_000_000;

/** Descriptors are the true bound: each connection takes one, and so does each read that it waits for. */
const maxConnections = z
  .number()
  .int()
  .min(1)
  .max(1_000_000)
  .default(20_000)
  .describe('Connections taken at a time by each listener of a process; what is above is closed at once.');

const listenSchema = z.strictObject({
  delivery: listenAddress.prefault('127.0.0.1:8080').describe('Where the CDN connects.'),
  admin: listenAddress
    .prefault('127.0.0.1:9090')
    .describe('API, dashboard, metrics and health: never through the CDN.'),
  trustedProxies: z
    .array(
      text(/^(?:loopback|linklocal|uniquelocal|[0-9A-Fa-f:.]+(?:\/\d{1,3})?)$/, {
        message: 'is not an address or a network',
        mend: 'write one such as 10.0.0.0/8, or loopback, linklocal or uniquelocal',
      }),
    )
    .default([])
    .describe('Proxies whose X-Forwarded-For is believed, to tell clients apart; such as those of the CDN.'),
  maxConnections,
});

/** An @ behind the host is part of a password that is not encoded: it would be read, and shown, as a path. */
const unencoded = /^[^/]*:\/\/[^/?#]*[/?#].*@/s;
const encode = 'write / as %2F, ? as %3F, # as %23 and @ as %40 in the password';

function urlWithPassword(pattern: RegExp, refusal: Refusal) {
  return text(pattern, refusal).superRefine((value, context) => {
    if (unencoded.test(value))
      refuse(context, { message: 'holds a password that is not percent-encoded', mend: encode });
  });
}

const storeUrl = urlWithPassword(/^cloudinary:\/\/\S+$/i, {
  message: 'is not a CLOUDINARY_URL',
  mend: 'it looks like cloudinary://API_KEY:API_SECRET@CLOUD_NAME',
});

const storeSchema = z.strictObject({
  url: storeUrl
    .optional()
    .describe(
      'The account: cloudinary://key:secret@cloud. Default: CLOUDINARY_URL where it is set, else the embedded store.',
    ),
  uploadPrefix: webUrl.optional().describe('API host of another region, such as https://api-eu.cloudinary.com.'),
  deliveryPrefix: webUrl.optional().describe('Host of delivery URLs where it is not res.cloudinary.com.'),
  uploads: z.number().int().min(1).max(256).default(10).describe('Uploads at a time per process.'),
  timeout: duration.prefault('2m').describe('Longest wait for an answer to one upload request.'),
  chunkSize: byteSize
    .superRefine((bytes, context) => {
      if (bytes < smallestChunk) refuse(context, { message: 'is too small for a chunk', mend: 'write 5MB or more' });
    })
    .prefault('20MB')
    .describe('Larger files are sent in chunks of this size; 5MB at least.'),
  embedded: z
    .strictObject({
      listen: listenAddress.prefault('127.0.0.1:8090').describe('Where the embedded store listens.'),
      dir: z
        .string()
        .min(1)
        .optional()
        .describe('Where the embedded store keeps its files. Default: store in the data directory.'),
    })
    .prefault({})
    .describe('The store that runs where no account is configured.'),
});

const ledgerUrl = urlWithPassword(/^(?:sqlite:.+|(?:rediss?|redis\+sentinel|redis\+cluster):\/\/[^\s/]\S*)$/, {
  message: 'is not a ledger',
  mend: 'write sqlite:PATH, or a redis://, rediss://, redis+sentinel:// or redis+cluster:// URL',
});

const idleSchema = z.strictObject({
  keep: duration.prefault('14d').describe('How long such a record is kept after its last attempt.'),
  most: z
    .number()
    .int()
    .min(0)
    .default(100_000)
    .describe('Most such records in the ledger; above, the longest idle are dropped.'),
});

const ledgerSchema = z.strictObject({
  url: ledgerUrl
    .optional()
    .describe(
      'Where the records live. Default: REDIS_URL where it is set, else sqlite:ledger.db in the data directory.',
    ),
  lease: duration
    .superRefine((milliseconds, context) => {
      if (milliseconds < 1_000) refuse(context, { message: 'is too short for a lease', mend: 'write 1s or more' });
    })
    .prefault('30s')
    .describe('Lease of a claim; renewed while the upload lives.'),
  memory: z.number().int().min(0).max(10_000_000).default(100_000).describe('Records remembered per process.'),
  memoryTtl: duration.prefault('1m').describe('How long a record is remembered without asking again.'),
  idle: idleSchema
    .prefault({})
    .describe('Records of assets without a copy that only a further request would try again, such as unknown paths.'),
});

const token = text(/^[\x21-\x7e]{16,}$/, {
  message: 'is too short or holds spaces',
  mend: 'take 16 printable ASCII characters or more: openssl rand -hex 32 makes some',
});

const adminSchema = z.strictObject({
  token: token
    .optional()
    .describe(
      'Token that may see and change everything on the admin side. Default: LAZYFERRY_ADMIN_TOKEN where it is set.',
    ),
  readToken: token
    .optional()
    .describe('Token that may only look. Default: LAZYFERRY_ADMIN_READ_TOKEN where it is set.'),
  hosts: z
    .array(z.string().min(1))
    .default([])
    .describe('Host names under which the admin side is opened, besides the loopback ones.'),
});

export const configSchema = z.strictObject({
  listen: listenSchema.prefault({}).describe('Addresses of the two listeners; port 0 takes a free one.'),
  store: storeSchema.prefault({}).describe('Where copies go.'),
  ledger: ledgerSchema.prefault({}).describe('The durable record of every asset’s state.'),
  spool: z
    .strictObject({
      memory: byteSize
        .prefault('256MB')
        .describe('Memory for the beginnings of objects that are being read from origins, in all, per process.'),
      disk: byteSize
        .prefault('10GB')
        .describe(
          'Disk for the rest of them, in the data directory, in all, per process. Beyond it an object is given on no faster than its slowest reader takes it.',
        ),
    })
    .prefault({})
    .describe('What is kept of origin reads while clients and uploads take their time.'),
  admin: adminSchema.prefault({}).describe('Who may use the admin side.'),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('Least level that is logged.'),
    })
    .prefault({})
    .describe('Logs go to standard output, one JSON object a line.'),
  shutdown: z
    .strictObject({
      drain: duration
        .prefault('500ms')
        .describe(
          'How long requests are still taken after SIGTERM, while /readyz says no and each answer closes its connection: longer than the load balancer needs to see it; half of grace at most.',
        ),
      grace: duration.prefault('20s').describe('Longest time from SIGTERM to the exit, drain included.'),
    })
    .prefault({})
    .describe('How the process ends.'),
  mappings: z
    .array(mappingSchema)
    .min(1)
    .describe(
      'Which paths come from which origin; one at least, here or by --map /images/=https://www.example.com/images/.',
    ),
});

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export type ConfigInput = DeepReadonly<z.input<typeof configSchema>>;
export type Config = DeepReadonly<z.output<typeof configSchema>>;
/** A mapping with every default in place. */
export type Mapping = Omit<Config['mappings'][number], 'folder'> & { readonly folder: string };

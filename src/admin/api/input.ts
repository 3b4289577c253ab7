import { z } from 'zod';
import { reasons } from '../../asset/reason.ts';
import { assetStates } from '../../asset/record.ts';
import { ApiError } from './api-error.ts';

/** Checks a query or a body; the error names each key that is wrong and what would be right. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new ApiError(400, 'bad-parameter', problems.join('; '));
}

/** `state=failed,missing` and `state=failed&state=missing` are the same; so is a JSON array. */
function listOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (typeof value === 'string' ? [value] : value).flatMap((item) => item.split(',')))
    .pipe(
      z.array(z.enum(words, { error: (issue) => `${JSON.stringify(issue.input)} is not one of ${words.join(', ')}` })),
    )
    .optional();
}

const mapping = z.string().max(1024).optional();

/** As much of a path as is known, in any spelling; an asset key's path is percent-encoded. */
const pathPrefix = z
  .string()
  .max(8192)
  .transform((value) => value.replace(/[^A-Za-z0-9\-._~!$&'()*,=:@;+/%]+/g, encodeUnpaired))
  .optional();

/** A lone surrogate is in no path: it becomes the replacement character and finds nothing. */
function encodeUnpaired(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

export const assetsQuery = z.strictObject({
  mapping,
  state: listOf(assetStates),
  reason: listOf(reasons),
  /** Within the mapping where one is given; else a delivery path such as `/images/a`. */
  path: pathPrefix,
  limit: z.coerce.number('write a number from 1 to 1000').int().min(1).max(1000).default(100),
  after: z.string().max(16_384).optional(),
});

const deliveryPath = z
  .string()
  .max(8192)
  .startsWith('/', 'write a delivery path, which starts with /, such as /images/a.jpg');

export const explainQuery = z.strictObject({ path: deliveryPath });

const component = z.string().regex(/^[\x21-\x7e]*$/, 'printable ASCII without spaces, percent-encoded');
const key = z.strictObject({ mapping: component, path: component, query: component.default('') });

/** One asset: by its delivery path, or by its key as the assets' list gives it. */
const oneAsset = { path: deliveryPath.optional(), key: key.optional() };

const filter = z.strictObject({ mapping, state: listOf(assetStates), reason: listOf(reasons), path: pathPrefix });
const redo = z.enum(['retry', 'refresh', 'lost'], 'retry, refresh or lost').default('retry');

function exactlyOne(body: { path?: unknown; key?: unknown; filter?: unknown }): boolean {
  return [body.path, body.key, body.filter].filter((value) => value !== undefined).length === 1;
}

export const retryBody = z
  .strictObject({ ...oneAsset, filter: filter.optional(), redo, wait: z.boolean().default(false) })
  .refine(exactlyOne, 'name what to retry by exactly one of path, key and filter');

export const purgeBody = z
  .strictObject({
    ...oneAsset,
    filter: filter.extend({ mapping: z.string().max(1024) }).optional(),
    dryRun: z.boolean().default(false),
  })
  .refine(exactlyOne, 'name what to purge by exactly one of path, key and filter');

export const tombstoneBody = z
  .strictObject(oneAsset)
  .refine(exactlyOne, 'name what to tombstone by exactly one of path and key');

import { z } from 'zod';
import type { ConfigPath } from './problem.ts';

/** The schema without its defaults and optional marks. */
function bare(schema: unknown): unknown {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return bare(schema.unwrap());
  }
  return schema;
}

/** The schema of an object that stands where `value` does: of a union, the member that the value's `kind` names. */
function objectOf(schema: unknown, value: unknown): z.ZodObject | undefined {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) return inner;
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return undefined;
  const kind = memberOf(value, 'kind');
  return inner.options.map(bare).find((option): option is z.ZodObject => {
    return option instanceof z.ZodObject && z.safeParse(option.shape.kind as z.ZodType, kind).success;
  });
}

export function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}

/** Walks the schema and the value along the path. */
function schemaAt(schema: unknown, value: unknown, path: ConfigPath): { schema: unknown; value: unknown } {
  const [key, ...rest] = path;
  if (key === undefined) return { schema, value };
  const inner = bare(schema);
  const next = inner instanceof z.ZodArray ? inner.element : objectOf(inner, value)?.shape[key];
  return schemaAt(next, memberOf(value, key), rest);
}

/** The keys that may stand in the object at the path. */
export function knownKeys(root: z.ZodType, value: unknown, path: ConfigPath): string[] {
  const found = schemaAt(root, value, path);
  return Object.keys(objectOf(found.schema, found.value)?.shape ?? {});
}

/** What the option at the path is for, as the reference says. */
export function descriptionAt(root: z.ZodType, value: unknown, path: ConfigPath): string | undefined {
  const { schema } = schemaAt(root, value, path);
  return schema instanceof z.ZodType ? schema.description : undefined;
}

/** The section of the object at the path in which this very key is known, as `allow.maxBytes`. */
export function placeOfKey(root: z.ZodType, value: unknown, path: ConfigPath, key: string): string | undefined {
  const found = schemaAt(root, value, path);
  const sections = Object.entries(objectOf(found.schema, found.value)?.shape ?? {});
  const section = sections.find(([, schema]) => {
    const inner = bare(schema);
    return inner instanceof z.ZodObject && Object.hasOwn(inner.shape, key);
  });
  return section === undefined ? undefined : `${section[0]}.${key}`;
}

import { mappingSchema } from '../../src/config/mapping.ts';
import type { ConfigInput, Mapping } from '../../src/config/schema.ts';

type MappingInput = ConfigInput['mappings'][number];

/** A mapping as the configuration makes it, every default in place. */
export function mappingOf(input: Partial<MappingInput> = {}): Mapping {
  const mapping = mappingSchema.parse({ prefix: '/images/', origin: 'https://www.example.com/static/', ...input });
  return { ...mapping, folder: mapping.folder ?? mapping.prefix.slice(1, -1) };
}

/** Which folder of public IDs is filled from which URL prefix on the first request (contract §8). */
export interface UploadMapping {
  readonly folder: string;
  readonly template: string;
  readonly external_id: string;
}

export interface MappedSource {
  readonly mapping: UploadMapping;
  /** What follows the folder in the path. */
  readonly rest: string;
}

/** The mapping with the longest folder that the path begins with, at a slash. */
export function findMapping(mappings: readonly UploadMapping[], path: string): MappedSource | undefined {
  const [mapping] = mappings
    .filter(({ folder }) => folder === '' || (path.startsWith(`${folder}/`) && path.length > folder.length + 1))
    .sort((a, b) => b.folder.length - a.folder.length);
  if (mapping === undefined) return undefined;
  return { mapping, rest: mapping.folder === '' ? path : path.slice(mapping.folder.length + 1) };
}

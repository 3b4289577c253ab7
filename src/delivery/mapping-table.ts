import type { AssetKey } from '../asset/key.ts';
import { decodePublicId } from '../cloudinary/delivery-url.ts';
import type { Mapping } from '../config/schema.ts';

/** Finds the mapping of a normalised path. Prefixes end with `/`, so they match at segment boundaries only. */
export class MappingTable {
  readonly #byLength: readonly Mapping[];
  readonly #byPrefix: ReadonlyMap<string, Mapping>;
  /** The parts of each folder, by the first of them. */
  readonly #folders: ReadonlyMap<string, readonly (readonly string[])[]>;

  constructor(mappings: readonly Mapping[]) {
    this.#byLength = mappings.toSorted((a, b) => b.prefix.length - a.prefix.length);
    this.#byPrefix = new Map(mappings.map((mapping) => [mapping.prefix, mapping]));
    const folders = mappings.flatMap(({ folder }) => (folder === '' ? [] : [folder.split('/')]));
    this.#folders = Map.groupBy(folders, ([first = '']) => first);
  }

  get all(): readonly Mapping[] {
    return [...this.#byPrefix.values()];
  }

  /** The mapping with the longest prefix of `path`; undefined when there is none. */
  match(path: string): Mapping | undefined {
    return this.#byLength.find((mapping) => path.startsWith(mapping.prefix));
  }

  /** The mapping whose folder is the longest that `publicId` lies in; undefined when there is none. */
  matchFolder(publicId: string): Mapping | undefined {
    let best: Mapping | undefined;
    for (const mapping of this.#byLength) {
      const inside = mapping.folder === '' || publicId.startsWith(`${mapping.folder}/`);
      if (inside && (best === undefined || mapping.folder.length > best.folder.length)) best = mapping;
    }
    return best;
  }

  /** Whether the parts of a delivery URL, encoded, begin a mapping's folder at this index, with something in it. */
  isFolderAt(parts: readonly string[], at: number): boolean {
    const candidates = this.#folders.get(decodePublicId(parts[at] ?? '')) ?? [];
    return candidates.some(
      (folder) =>
        at + folder.length < parts.length &&
        folder.every((name, index) => decodePublicId(parts[at + index] ?? '') === name),
    );
  }

  ofKey(key: AssetKey): Mapping | undefined {
    return this.#byPrefix.get(key.mapping);
  }
}

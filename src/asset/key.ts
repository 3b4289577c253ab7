/**
 * The identity of one asset: one origin object under one mapping.
 *
 * Every component is already normalised (see `delivery/path.ts`): printable ASCII without spaces, percent-encoded
 * where it must be. That is what makes the encoded form below injective.
 */
export interface AssetKey {
  /** The mapping's prefix, for example `/images/`. */
  readonly mapping: string;
  /** What follows the prefix, normalised and still percent-encoded, for example `a%20b.jpg`. */
  readonly path: string;
  /** The part of the query that names the object, without `?`; empty where the mapping ignores queries. */
  readonly query: string;
}

/**
 * One string for one key, for maps and for ledger drivers: `mapping path query`, separated by single spaces.
 * Injective, because no component may hold a space; a component that does is refused.
 *
 * @throws {TypeError} when a component holds a space
 */
export function encodeAssetKey(key: AssetKey): string {
  if (key.mapping.includes(' ') || key.path.includes(' ') || key.query.includes(' ')) {
    throw new TypeError(`an asset key's components hold no spaces: ${JSON.stringify(key)}`);
  }
  return `${key.mapping} ${key.path} ${key.query}`;
}

/**
 * The inverse of {@link encodeAssetKey}.
 *
 * @throws {TypeError} when the string is not the encoded form of a key
 */
export function decodeAssetKey(encoded: string): AssetKey {
  const [mapping, path, query, ...rest] = encoded.split(' ');
  if (mapping === undefined || path === undefined || query === undefined || rest.length > 0) {
    throw new TypeError(`not an encoded asset key: ${JSON.stringify(encoded)}`);
  }
  return { mapping, path, query };
}

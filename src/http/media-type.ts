/** `type/subtype` (RFC 9110 §8.3.1), with or without parameters. */
const mediaType = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*(?:;|$)/;

/**
 * The one type of a `Content-Type` that names several, sent as a list or as repeated fields: browsers go by the last
 * that is a type at all (Fetch, "extract a MIME type"). So does whoever judges by this: by the first, HTML would pass
 * for a picture.
 *
 * Quotes are not looked at: a type that a comma makes out of a quoted parameter counts too, rather than one too few.
 *
 * @returns the value as it is where it is no list, or a list of nothing that is a type
 */
export function effectiveType(value: string): string {
  if (!value.includes(',')) return value;
  const types = value.split(',').map((part) => part.trim());
  return types.findLast((type) => mediaType.test(type) && !type.startsWith('*/*')) ?? value;
}

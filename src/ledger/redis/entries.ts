export interface Entry {
  readonly field: string;
  readonly value: Buffer;
}

/** Fields and values as scripts return them: in turn, in one list. */
export function toEntries(parts: readonly Buffer[]): Entry[] {
  const entries: Entry[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    entries.push({ field: String(parts[index]), value: parts[index + 1] as Buffer });
  }
  return entries;
}

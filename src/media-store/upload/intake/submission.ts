import type { StagedFile } from '../../files/staging.ts';

/** A parameter's text, or the texts of a repeated `name[]` field. */
export type Field = string | readonly string[];

/** Parameters by name as they were sent. A Map: names are the sender's. */
export type Fields = ReadonlyMap<string, Field>;

export type SubmittedFile =
  /** The bytes were sent; they wait on disk. */
  | { readonly kind: 'bytes'; readonly staged: StagedFile; readonly filename: string }
  /** A remote URL or a data URI was sent. */
  | { readonly kind: 'reference'; readonly text: string };

/** What a request to the Upload API brings, whatever its encoding. */
export interface Submission {
  readonly fields: Fields;
  readonly file?: SubmittedFile;
}

/** Collects fields as they arrive; `name[]` and the repeated form become a list, otherwise the last one counts. */
export class FieldCollector {
  readonly #fields = new Map<string, Field>();

  add(name: string, value: string): void {
    const list = /^(.+)\[\d*\]$/.exec(name)?.[1];
    if (list === undefined) {
      this.#fields.set(name, value);
      return;
    }
    const before = this.#fields.get(list);
    this.#fields.set(list, typeof before === 'object' ? [...before, value] : [value]);
  }

  fields(): Fields {
    return this.#fields;
  }
}

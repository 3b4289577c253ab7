import type { StagedFile } from '../../files/staging.ts';
import { StoreError } from '../../store-error.ts';
import { MAX_FIELDS, MAX_FIELDS_LENGTH } from './limits.ts';

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

export interface IntakeRules {
  /** 0: no file is wanted. */
  readonly maxFileBytes: number;
  /** Whether the parameters, as far as they have come ahead of the file, show that the sender is known. */
  readonly isKnown?: (fields: Fields) => boolean;
}

/** Collects fields as they arrive; `name[]` and the repeated form become a list, otherwise the last one counts. */
export class FieldCollector {
  readonly #fields = new Map<string, Field>();
  #number = 0;
  #length = 0;

  /** @throws {StoreError} 400 when they are too many, or too long together */
  add(name: string, value: string): void {
    this.#number += 1;
    this.#length += name.length + value.length;
    if (this.#number > MAX_FIELDS) throw new StoreError(400, `Too many parameters. Maximum is ${MAX_FIELDS}`);
    if (this.#length > MAX_FIELDS_LENGTH) throw new StoreError(400, 'The parameters are too long');
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

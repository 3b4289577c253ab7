import type { Proof } from '../asset/record.ts';
import type { BodyDigest } from '../origin/shared-read.ts';

/** What we know of the origin's object, from the strongest source there is. */
export interface Evidence {
  /** We read every byte. */
  readonly read?: BodyDigest;
  /** Hex MD5 that the origin stated. */
  readonly md5?: string;
  /** Length that the origin stated. */
  readonly length?: number;
}

export interface Claimed {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly md5: string;
}

export type Verdict =
  | { readonly proven: true; readonly proof: Proof }
  /** What differs, or that there is nothing to compare with. */
  | { readonly proven: false; readonly detail: string; readonly differs: boolean };

/** Compares what the store says it holds with what we know of the origin's object (invariant 4). */
export function prove(stored: Claimed, evidence: Evidence): Verdict {
  const { read, md5, length } = evidence;
  if (read !== undefined) {
    if (read.bytes !== stored.bytes)
      return differs(`the store has ${stored.bytes} bytes, the origin sent ${read.bytes}`);
    if (read.md5 !== stored.md5)
      return differs(`the store’s MD5 is ${stored.md5}, the origin’s bytes have ${read.md5}`);
    return { proven: true, proof: 'read' };
  }
  if (length !== undefined && length !== stored.bytes) {
    return differs(`the store has ${stored.bytes} bytes, the origin states ${length}`);
  }
  if (md5 !== undefined) {
    return md5 === stored.md5
      ? { proven: true, proof: 'digest' }
      : differs(`the store’s MD5 is ${stored.md5}, the origin states ${md5}`);
  }
  if (length !== undefined) return { proven: true, proof: 'length' };
  return { proven: false, differs: false, detail: 'the origin states neither length nor digest' };
}

function differs(detail: string): Verdict {
  return { proven: false, differs: true, detail };
}

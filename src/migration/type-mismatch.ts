import { lookup as typeOfName } from 'mime-types';

/** What an object is by the origin's word, by its name, and by its bytes, where these do not agree. */
export interface TypeMismatch {
  readonly declared: string;
  /** Absent: the name has no extension that means anything. */
  readonly byName?: string;
  readonly byBytes: string;
}

/** Names that mean the same type. */
const aliases: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/x-png': 'image/png',
  'image/x-icon': 'image/vnd.microsoft.icon',
  'audio/mp3': 'audio/mpeg',
  'video/x-m4v': 'video/mp4',
  'audio/x-m4a': 'audio/mp4',
};

/**
 * Undefined where all agree, or the bytes show nothing. Such an object is stored all the same: the store looks at the
 * bytes itself; but pages that go by the name or the header may be surprised after the move.
 *
 * @param declared lower case, without parameters
 */
export function typeMismatch(
  declared: string,
  filename: string,
  byBytes: string | undefined,
): TypeMismatch | undefined {
  if (byBytes === undefined) return undefined;
  const named = typeOfName(filename);
  const differs = (type: string) => plain(type) !== plain(byBytes);
  if (!differs(declared) && (named === false || !differs(named))) return undefined;
  return { declared, byBytes, ...(named === false ? {} : { byName: named }) };
}

function plain(type: string): string {
  return aliases[type] ?? type;
}

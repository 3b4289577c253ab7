/**
 * Reads a public ID back to path bytes and query by the rules of `docs/public-ids.md`, written without a look at the
 * encoder: the oracle for its injectivity. Hashed IDs cannot be read back.
 */
export interface DecodedPublicId {
  /** One character per byte, so that UTF-8, Latin-1, composed and decomposed text are told apart; `+` and `;` as written. */
  readonly path: string;
  readonly query: string;
}

export function decodePublicIdByTheRules(folder: string, id: string, raw: boolean): DecodedPublicId {
  const inFolder = folder === '' ? id : id.slice(folder.length + 1);
  const cut = inFolder.lastIndexOf('/') + 1;
  const name = inFolder.slice(cut);
  const dot = raw ? /\.[A-Za-z0-9]{1,8}$/.exec(name)?.index : name.lastIndexOf('_');
  const stem = dot === undefined ? name : name.slice(0, dot);
  const extension = dot === undefined ? '' : name.slice(dot + 1);
  const [base = '', query = ''] = stem.split('~q');
  const parents = inFolder
    .slice(0, cut)
    .split('/')
    .slice(0, -1)
    .map((segment) => `${toBytes(segment)}/`)
    .join('');
  return {
    path: `${parents}${toBytes(base)}${extension === '' ? '' : `.${extension}`}`,
    query: query.replace(/~([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
  };
}

function toBytes(escaped: string): string {
  let bytes = '';
  for (let rest = escaped; rest !== ''; ) {
    const mark = /^~(p|e|[0-9A-F]{2})/.exec(rest)?.[1];
    if (mark === undefined) {
      const [character = ''] = rest;
      bytes += Buffer.from(character, 'utf8').toString('latin1');
      rest = rest.slice(character.length);
      continue;
    }
    if (mark === 'p') bytes += '+';
    // Where the path tells encoded and literal characters apart, so do we.
    else if (mark === '2B' || mark === '3B') bytes += `%${mark}`;
    else if (mark !== 'e') bytes += String.fromCharCode(Number.parseInt(mark, 16));
    rest = rest.slice(mark.length + 1);
  }
  return bytes;
}

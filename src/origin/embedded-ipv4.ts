/** The IPv4 addresses that an IPv6 address carries, and what carries them. */
export type EmbeddedIPv4 =
  /** `::ffff:0:0/96`: the IPv4 address itself, in IPv6 notation. */
  | { readonly form: 'mapped'; readonly addresses: readonly [string] }
  /** NAT64, 6to4, Teredo: a translator or tunnel sends it on to the IPv4 addresses inside. */
  | { readonly form: 'translated'; readonly addresses: readonly string[] }
  /** ISATAP: an ordinary address whose interface id names an IPv4 address. */
  | { readonly form: 'interface'; readonly addresses: readonly [string] }
  | { readonly form: 'none'; readonly addresses: readonly [] };

/**
 * Sources: RFC 4291 §2.5.5.2 (mapped), RFC 6052 §2.1 (NAT64), RFC 3056 §2 (6to4), RFC 4380 §4 (Teredo: server, and
 * client with its bits inverted), RFC 5214 §6.1 (ISATAP).
 *
 * @param address a valid IPv6 literal without brackets or zone id
 */
export function embeddedIPv4(address: string): EmbeddedIPv4 {
  const [a, b, c, d, e, f, g, h] = ipv6Groups(address);
  const last = dotted(g, h);
  if ((a | b | c | d | e) === 0 && f === 0xffff) return { form: 'mapped', addresses: [last] };
  if (a === 0x64 && b === 0xff9b && (c | d | e | f) === 0) return { form: 'translated', addresses: [last] };
  if (a === 0x2002) return { form: 'translated', addresses: [dotted(b, c)] };
  if (a === 0x2001 && b === 0) {
    return { form: 'translated', addresses: [dotted(c, d), dotted(g ^ 0xffff, h ^ 0xffff)] };
  }
  if ((e === 0 || e === 0x0200) && f === 0x5efe) return { form: 'interface', addresses: [last] };
  return { form: 'none', addresses: [] };
}

type Groups = readonly [number, number, number, number, number, number, number, number];

/** The eight 16-bit groups. The URL parser has normalised the address: hexadecimal groups, at most one `::`. */
function ipv6Groups(address: string): Groups {
  const normal = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros: string[] = Array(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16)) as unknown as Groups;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

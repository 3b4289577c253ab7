import { isIPv6 } from 'node:net';

/** No address is longer; what a proxy passes on may be. */
const longest = 64;

/**
 * What limits by client go by: an IPv4 address, or the /64 of an IPv6 one, which a single host owns whole and could
 * otherwise take a new address of for each request. What is no address stands for itself, cut short.
 */
export function clientNetwork(address: string): string {
  if (!isIPv6(address) || address.toLowerCase().startsWith('::ffff:')) return address.slice(0, longest);
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = [...left, ...gap, ...right].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

import { BlockList, isIP } from 'node:net';
import { embeddedIPv4 } from './embedded-ipv4.ts';

export interface AddressPolicy {
  /** Opens private and loopback ranges; nothing else. */
  readonly allowPrivate: boolean;
}

/** What is wrong with an address. */
export type AddressRefusal =
  | 'not an IP address'
  | 'a zone id'
  | 'a metadata service'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'multicast'
  | 'reserved'
  | 'a transition form of an address that is not public';

type RangeTable = readonly (readonly [refusal: AddressRefusal, cidrs: readonly string[]])[];

/** What `allowPrivate` opens. */
const openable: ReadonlySet<AddressRefusal> = new Set(['loopback', 'private']);

// The IANA special-purpose address registries, in the order in which they are asked: the first range that holds the
// address decides, so metadata services stand before the private ranges that some of them lie in.
const ipv4Ranges: RangeTable = [
  [
    'a metadata service',
    [
      '169.254.169.254/32', // AWS, GCP, Azure, Oracle, DigitalOcean, OpenStack
      '169.254.170.2/32', // AWS ECS tasks
      '100.100.100.200/32', // Alibaba Cloud, inside the shared address space
      '168.63.129.16/32', // Azure's host endpoint, a public address
    ],
  ],
  ['unspecified', ['0.0.0.0/8']],
  ['loopback', ['127.0.0.0/8']],
  ['private', ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16']],
  ['link-local', ['169.254.0.0/16']],
  ['multicast', ['224.0.0.0/4']],
  [
    'reserved',
    [
      '192.0.0.0/24',
      '192.0.2.0/24',
      '192.31.196.0/24',
      '192.52.193.0/24',
      '192.88.99.0/24',
      '192.175.48.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '240.0.0.0/4',
    ],
  ],
];

const ipv6Ranges: RangeTable = [
  [
    'a metadata service',
    [
      'fd00:ec2::/32', // AWS: metadata, DNS, time, pod identity
      'fd00:42::42/128', // Scaleway
      'fd20:ce::254/128', // GCP
    ],
  ],
  ['unspecified', ['::/128']],
  ['loopback', ['::1/128']],
  ['private', ['fc00::/7']],
  ['link-local', ['fe80::/10', 'fec0::/10']],
  ['multicast', ['ff00::/8']],
  [
    'reserved',
    [
      // Everything outside 2000::/3, the only block given out as global unicast: also ::/96 (IPv4-compatible),
      // ::ffff:0:0:0/96 (IPv4-translated), 64:ff9b:1::/48 (local NAT64), 100::/64 (discard), 5f00::/16 (SRv6).
      '::/3',
      '4000::/2',
      '8000::/1',
      '2001::/23', // protocol assignments: benchmarking, ORCHID, AMT, AS112
      '2001:db8::/32', // documentation
      '2620:4f:8000::/48', // AS112
      '3fff::/20', // documentation
    ],
  ],
];

// One list a family: Node compares an IPv4 address with IPv6 rules too, as its mapped form, and ::/3 holds them all.
const ipv4Lists = blockLists(ipv4Ranges, 'ipv4');
const ipv6Lists = blockLists(ipv6Ranges, 'ipv6');

function blockLists(table: RangeTable, family: 'ipv4' | 'ipv6'): readonly (readonly [AddressRefusal, BlockList])[] {
  return table.map(([refusal, cidrs]) => {
    const list = new BlockList();
    for (const cidr of cidrs) {
      const [network = '', bits] = cidr.split('/');
      list.addSubnet(network, Number(bits), family);
    }
    return [refusal, list];
  });
}

/**
 * Why this address may not be connected to; undefined when it may. Judges addresses, never names: what a name stands
 * for is known only when the socket is about to connect.
 *
 * @param address an IPv4 or IPv6 literal, without brackets
 */
export function judgeAddress(address: string, policy: AddressPolicy): AddressRefusal | undefined {
  // A zone id picks an interface of this machine; some parsers skip it and see another address than the socket does.
  if (address.includes('%')) return 'a zone id';
  const family = isIP(address);
  if (family === 4) return judgeIPv4(address, policy);
  if (family === 6) return judgeIPv6(address, policy);
  return 'not an IP address';
}

function judgeIPv4(address: string, policy: AddressPolicy): AddressRefusal | undefined {
  return judgeByRanges(ipv4Lists, address, 'ipv4', policy);
}

function judgeIPv6(address: string, policy: AddressPolicy): AddressRefusal | undefined {
  const embedded = embeddedIPv4(address);
  // `::ffff:10.0.0.1` opens an IPv4 socket to 10.0.0.1: the same address, the same verdict.
  if (embedded.form === 'mapped') return judgeIPv4(embedded.addresses[0], policy);
  // A translator sends these on to the IPv4 inside, somewhere else in the network: only public ones, whatever is opened.
  if (embedded.addresses.some((inner) => judgeIPv4(inner, { allowPrivate: false }) !== undefined)) {
    return 'a transition form of an address that is not public';
  }
  if (embedded.form === 'translated') return undefined;
  return judgeByRanges(ipv6Lists, address, 'ipv6', policy);
}

function judgeByRanges(
  lists: readonly (readonly [AddressRefusal, BlockList])[],
  address: string,
  family: 'ipv4' | 'ipv6',
  policy: AddressPolicy,
): AddressRefusal | undefined {
  const refusal = lists.find(([, list]) => list.check(address, family))?.[0];
  return refusal !== undefined && policy.allowPrivate && openable.has(refusal) ? undefined : refusal;
}

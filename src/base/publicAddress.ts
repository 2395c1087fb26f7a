import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** The special-purpose ranges of IANA's registry: private, loopback, link-local with the metadata address, shared, tests, multicast. */
const specialIpv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Of IPv6 only global unicast is public. IPv4-mapped, NAT64, unique local and link-local addresses all lie outside of it. */
const globalIpv6 = ['2000::', 3] as const;

/** What of global unicast is special: Teredo and its like, documentation, 6to4, which holds an IPv4 address. */
const specialIpv6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

function listOf(family: 'ipv4' | 'ipv6', ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of ranges) list.addSubnet(network, bits, family);
  return list;
}

const special = { ipv4: listOf('ipv4', specialIpv4), ipv6: listOf('ipv6', specialIpv6) };
const global = listOf('ipv6', [globalIpv6]);

/** True for an address of the internet that is not this machine's own. */
export function isPublicAddress(address: string, own: readonly string[] = ownAddresses()): boolean {
  if (own.includes(address)) return false;
  if (isIPv4(address)) return !special.ipv4.check(address, 'ipv4');
  return (
    isIPv6(address) && !address.includes('%') && global.check(address, 'ipv6') && !special.ipv6.check(address, 'ipv6')
  );
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

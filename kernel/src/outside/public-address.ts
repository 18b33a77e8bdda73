// Which addresses belong to the public internet. The engine dials no other: whatever a name resolves to, it never leads
// a plugin into the operator's own network.
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Special-purpose blocks of IPv4 (RFC 6890 and its successors). */
const notPublic4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, and the metadata service of most clouds: 169.254.169.254.
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
  // A public address that is the machine's own host in Azure.
  ['168.63.129.16', 32],
] as const

/**
 * Global unicast is 2000::/3 and nothing else, which leaves out loopback, unique local (with fd00:ec2::254), link-local,
 * multicast, IPv4-compatible, IPv4-mapped and both NAT64 blocks. These lie inside it and embed or document others.
 */
const notPublic6 = [
  // Protocol assignments; Teredo, 2001::/32, is among them.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4
  ['2002::', 16],
  ['3fff::', 20],
] as const

/** Makes the test of an address in the text form that a lookup gives. */
export function publicAddressTest(): (address: string) => boolean {
  const refused4 = new BlockList()
  for (const [net, prefix] of notPublic4) refused4.addSubnet(net, prefix, 'ipv4')
  const global6 = new BlockList()
  global6.addSubnet('2000::', 3, 'ipv6')
  const refused6 = new BlockList()
  for (const [net, prefix] of notPublic6) refused6.addSubnet(net, prefix, 'ipv6')
  return (address) => {
    if (isIPv4(address)) return !refused4.check(address, 'ipv4')
    // A zone says that the address means something on this machine's links alone.
    if (!isIPv6(address) || address.includes('%')) return false
    return global6.check(address, 'ipv6') && !refused6.check(address, 'ipv6')
  }
}

// Networks: those that a key may be used from, as a list such as 203.0.113.0/24 or 2001:db8::/32, and the one that an address
// counts as where attempts and requests are counted.
import { BlockList, isIP, isIPv6 } from 'node:net'

/** How a socket that listens on IPv6 writes the IPv4 addresses it is called from. */
const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

function parseNetwork(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || rest.length > 0) return undefined
  const most = version === 4 ? 32 : 128
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  return bits <= most ? { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' } : undefined
}

export const isNetwork = (text: string): boolean => parseNetwork(text) !== undefined

/** Whether an address lies in one of the networks; every address does when there are none. */
export function networkTest(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true
  const list = new BlockList()
  for (const text of networks) {
    const network = parseNetwork(text)
    if (network) list.addSubnet(network.address, network.bits, network.family)
  }
  return (given) => {
    const address = mapped.exec(given)?.[1] ?? given
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** A customer has a whole /64, and can take any address of it. */
export function networkOf(address: string): string {
  const ipv4 = mapped.exec(address)?.[1]
  if (ipv4 !== undefined || !isIPv6(address)) return ipv4 ?? address
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const first = head.split(':').filter((part) => part !== '')
  const last = tail?.split(':').filter((part) => part !== '') ?? []
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  const all = [...first, ...Array.from({ length: missing }, () => '0'), ...last]
  return all
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':')
}

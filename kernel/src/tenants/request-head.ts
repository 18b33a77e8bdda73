// What of a request can name a tenant, read the same way wherever a request is looked at: in the front door, which
// chooses a version by it, and in the ladder. What a proxy says of the host is taken from trusted proxies alone.
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { errors } from '../errors.ts'

export interface RequestHead {
  readonly method: string
  /** Path and query, as they came. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Of the socket's other end, which may be a proxy. */
  readonly peer: string | undefined
}

export type IsTrusted = (address: string | undefined) => boolean

/** Where there is no proxy in front. */
export const trustNobody: IsTrusted = () => false

/** Addresses and networks, as PLINTH_TRUSTED_PROXIES has them. */
export function trustedProxies(networks: readonly string[]): IsTrusted {
  if (networks.length === 0) return trustNobody
  const trusted = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(bits), family)
  }
  return (address) =>
    address !== undefined && isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

const nameAndPort = /^([a-z0-9_][a-z0-9_.-]*?)\.?(?::\d{0,5})?$/

/** The host name that was asked for, in small letters without a port; undefined for addresses and what is no name. */
export function hostOf({ headers, peer }: RequestHead, isTrusted: IsTrusted): string | undefined {
  const forwarded = isTrusted(peer) ? headers['x-forwarded-host'] : undefined
  const said = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
  // Of several the last was added by the proxy that we trust; those before it may be the client's.
  const host = (said?.slice(said.lastIndexOf(',') + 1).trim() ?? headers.host ?? '').toLowerCase()
  const name = nameAndPort.exec(host)?.[1]
  return name === undefined || name.length > 253 || !name.includes('.') || isIP(name) !== 0 ? undefined : name
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD'

/**
 * The tenant that `?tenant=` names, in a link.
 * @throws VALIDATION_FAILED where it is given twice, or where a link cannot lead: it would be a change in a tenant that
 * stands in a log.
 */
export function tenantInQuery({ method, url }: RequestHead): string | undefined {
  const at = url.indexOf('?')
  if (at === -1) return undefined
  // Most queries say nothing of it: neither plainly nor with a letter of it written as %74.
  if (!url.includes('tenant', at) && !url.includes('%', at)) return undefined
  const [name, another] = new URLSearchParams(url.slice(at)).getAll('tenant')
  if (name === undefined) return undefined
  if (isSafe(method) && another === undefined) return name
  const message = isSafe(method)
    ? 'is given twice'
    : 'is for GET and HEAD: send the X-Tenant-ID header instead'
  throw errors.validation({ errors: [{ field: 'tenant', code: 'INVALID', message }] })
}

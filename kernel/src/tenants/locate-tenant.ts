// Whose request is this? Its host, the X-Tenant-ID header, the credential and `?tenant=` may each name a tenant, and all
// that do must name the same one: nothing is chosen between them. When none does, it is the caller's default tenant, or
// his only one. A tenant that does not exist and one the caller is no member of are told apart by nobody.
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Identified, Placed, Tenant } from '../stages.ts'
import { hostOf, type IsTrusted, type RequestHead, tenantInQuery } from './request-head.ts'
import type { TenantDirectory } from './tenant-directory.ts'
import type { TenantHosts } from './tenant-hosts.ts'

export interface LocateParts {
  readonly directory: TenantDirectory
  readonly hosts: TenantHosts
  readonly isTrusted: IsTrusted
}

/** As the refusal names them. */
type Source = 'host' | 'X-Tenant-ID' | 'the token' | '?tenant='

interface Naming {
  readonly source: Source
  /** Slug or id, in small letters. */
  readonly name: string
  /** What the caller said: the id behind a domain is not told to those who only know the domain. */
  readonly said: string
}

async function namings(parts: LocateParts, who: Identified, head: RequestHead): Promise<Naming[]> {
  const found: Naming[] = []
  const add = (source: Source, name: string | undefined, said = name) => {
    if (name !== undefined) found.push({ source, name: name.toLowerCase(), said: said ?? name })
  }
  const host = hostOf(head, parts.isTrusted)
  if (host !== undefined) {
    const at = parts.hosts.tenantAt(host)
    add('host', at instanceof Promise ? await at : at, host)
  }
  const header = head.headers['x-tenant-id']
  add('X-Tenant-ID', Array.isArray(header) ? header.join(', ') : header)
  add('the token', who.tenantClaim)
  add('?tenant=', tenantInQuery(head))
  return found
}

/** @throws TENANT_NOT_FOUND, TENANT_REQUIRED, TENANT_MISMATCH, VALIDATION_FAILED */
export async function locateTenant(
  parts: LocateParts,
  who: Identified,
  head: RequestHead,
  off: DefencesOff = allStand,
): Promise<Placed> {
  const { directory } = parts
  const named = await namings(parts, who, head)
  const [first, ...others] = named
  if (!first) {
    const home = await directory.homeOf(who.actor.id)
    if (home === undefined) throw errors.tenantRequired({})
    return enter(parts, who, await directory.find(home), home, off)
  }
  const tenant = await directory.find(first.name)
  for (const other of others) {
    if (other.name === first.name || off.has('tenantAgreement')) continue
    const same = tenant && (await directory.find(other.name))?.id === tenant.id
    if (!same) throw errors.tenantMismatch({ sources: named.map(({ source }) => source) })
  }
  return enter(parts, who, tenant, first.said, off)
}

async function enter(
  { directory }: LocateParts,
  who: Identified,
  tenant: Tenant | undefined,
  said: string,
  off: DefencesOff,
): Promise<Placed> {
  const role = off.has('membership') ? 'owner' : tenant && (await directory.roleOf(tenant.id, who.actor.id))
  if (!tenant || !role) throw errors.tenantNotFound({ tenant: said.slice(0, 64) })
  return { ...who, tenant, role }
}

// Whose request is this: the tenant named by the X-Tenant-ID header (slug or id) or
// by the token, else the caller's only one.
// A tenant that does not exist and one the caller is no member of are told apart by nobody.
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Identified, Placed } from '../stages.ts'
import type { TenantDirectory } from './tenant-directory.ts'

/** @throws TENANT_NOT_FOUND, TENANT_REQUIRED, TENANT_MISMATCH */
export async function locateTenant(
  directory: TenantDirectory,
  identified: Identified,
  header: string | undefined,
  off: DefencesOff = allStand,
): Promise<Placed> {
  const claim = identified.tenantClaim
  const named = header === undefined ? claim : header.toLowerCase()
  if (named === undefined) {
    const [only, another] = await directory.tenantsOf(identified.actor.id)
    if (!only || another) throw errors.tenantRequired({})
    return { ...identified, ...only }
  }
  const tenant = await directory.find(named)
  const role = off.has('membership')
    ? 'owner'
    : tenant && (await directory.roleOf(tenant.id, identified.actor.id))
  if (claim !== undefined && tenant?.id !== claim)
    throw errors.tenantMismatch({ sources: ['X-Tenant-ID', 'the token'] })
  if (!tenant || !role) throw errors.tenantNotFound({ tenant: named.slice(0, 64) })
  return { ...identified, tenant, role }
}

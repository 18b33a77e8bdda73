// A tenant as its members see it.
import type { MembershipRole, Tenant } from '../stages.ts'

export const tenantView = (tenant: Tenant, role: MembershipRole) => ({
  id: tenant.id,
  slug: tenant.slug,
  name: tenant.name,
  currency: tenant.currency,
  plan: tenant.plan,
  role,
  state: tenant.state,
  ...(tenant.reason === undefined || role !== 'owner' ? {} : { reason: tenant.reason }),
  ...(tenant.eraseAfter === undefined ? {} : { eraseAfter: tenant.eraseAfter }),
  locale: tenant.locale,
  timeZone: tenant.timeZone,
  ...(tenant.country === undefined ? {} : { country: tenant.country }),
  ...(tenant.company === undefined ? {} : { company: tenant.company }),
  version: tenant.version,
  createdAt: tenant.createdAt,
})

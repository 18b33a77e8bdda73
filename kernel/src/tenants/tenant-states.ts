// What a tenant in each state may do, on one page, and which state may follow which. The ladder asks this table for every
// request, from the tenant in memory, so that a change acts on the next request in every process.
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Located, Tenant, TenantState } from '../stages.ts'

export interface StateRules {
  /** Who gets in at all. Owners alone reach what is said of the tenant itself (`anyState` in http/ladder.ts). */
  readonly enters: 'members' | 'owners' | 'nobody'
  /** GET and HEAD, of modules and of /v1/tenant. */
  readonly reads: boolean
  /** Everything else; a GET of a plugin that tries to write is refused by the database. */
  readonly writes: boolean
  /** Schedules, jobs and event subscribers. */
  readonly jobs: boolean
  /** To which states the operator moves it; closing and reopening are acts of their own. */
  readonly next: readonly TenantState[]
}

const works = { enters: 'members', reads: true, writes: true, jobs: true } as const

export const stateRules: Readonly<Record<TenantState, StateRules>> = {
  active: { ...works, next: ['trialing', 'past_due', 'read_only', 'suspended', 'closing'] },
  trialing: { ...works, next: ['active', 'past_due', 'read_only', 'suspended', 'closing'] },
  past_due: { ...works, next: ['active', 'read_only', 'suspended', 'closing'] },
  read_only: {
    enters: 'members',
    reads: true,
    writes: false,
    jobs: false,
    next: ['active', 'past_due', 'suspended', 'closing'],
  },
  suspended: {
    enters: 'owners',
    reads: false,
    writes: false,
    jobs: false,
    next: ['active', 'past_due', 'read_only', 'closing'],
  },
  // Reopening takes it back to the state it had before, and time to `closed`.
  closing: { enters: 'members', reads: true, writes: false, jobs: false, next: ['closed'] },
  closed: { enters: 'nobody', reads: false, writes: false, jobs: false, next: [] },
}

/** The refusal that a tenant's state is. */
export function refusalOf(tenant: Pick<Tenant, 'slug' | 'state' | 'eraseAfter'>): Error {
  const { slug, state, eraseAfter = 'it is erased' } = tenant
  if (state === 'suspended') return errors.tenantSuspended({ tenant: slug })
  if (state === 'closing') return errors.tenantClosing({ tenant: slug, eraseAfter })
  if (state === 'closed') return errors.tenantClosed({ tenant: slug })
  return errors.tenantReadOnly({ tenant: slug })
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD'

/** @throws TENANT_READ_ONLY, TENANT_SUSPENDED, TENANT_CLOSING, TENANT_CLOSED */
export function checkState(located: Located, method: string, off: DefencesOff = allStand): Located {
  const rules = stateRules[located.tenant.state]
  if (!(isSafe(method) ? rules.reads : rules.writes) && !off.has('tenantState'))
    throw refusalOf(located.tenant)
  return located
}

/** For what a tenant's state says nothing against: reading what it is, and closing it. @throws TENANT_SUSPENDED, TENANT_CLOSED */
export function checkEntry(located: Located, off: DefencesOff = allStand): Located {
  const { enters } = stateRules[located.tenant.state]
  if (enters === 'nobody' && !off.has('tenantState')) throw refusalOf(located.tenant)
  if (enters === 'owners' && located.role !== 'owner' && !off.has('tenantState'))
    throw refusalOf(located.tenant)
  return located
}

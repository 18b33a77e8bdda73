// Onboarding: a tenant with its owner, plan, modules, language, money, time and first company, in one transaction. A
// module that cannot be enabled leaves nothing behind.
import { randomUUIDv7 } from 'node:crypto'
import type { AuditedBy } from '../audit/write-audit.ts'
import type { GivenConsent } from '../entitlements/consent.ts'
import { enableModuleWithin, type ModulePlugins } from '../entitlements/switch-module.ts'
import { errors } from '../errors.ts'
import type { TenantState } from '../stages.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import { findAccount, type InviteOwner, refuseUnknownOwner } from './invite-owner.ts'
import { membershipKey } from './tenant-directory.ts'
import { reservedSlugs } from './tenant-hosts.ts'
import { checkedProfile } from './tenant-profile.ts'

export interface NewTenant {
  readonly name: string
  readonly slug: string
  readonly currency?: string
  readonly plan?: string
  readonly locale?: string
  readonly timeZone?: string
  /** The first company, and where it is. */
  readonly company?: { readonly name: string; readonly country?: string }
  /** In the order in which they are enabled. */
  readonly modules?: readonly { readonly module: string; readonly consent?: GivenConsent }[]
  readonly state?: Extract<TenantState, 'active' | 'trialing'>
}

export interface Provisioner {
  /** Who does it: the person, or the operator. */
  readonly by: AuditedBy
  readonly owner: { readonly id: string } | { readonly email: string }
  /** For an owner without an account; absent where there is no mail. */
  readonly invite?: InviteOwner | undefined
}

/**
 * The id of the new tenant.
 * @throws RECORD_CONFLICT when the slug is taken; VALIDATION_FAILED; what enabling a module throws.
 */
export async function provisionTenant(
  runControl: RunControl,
  { by, owner: whose, invite }: Provisioner,
  tenant: NewTenant,
  plugins: ModulePlugins = new Map(),
): Promise<string> {
  const id = randomUUIDv7()
  const { company, modules = [], name, slug, plan = 'starter', state = 'active' } = tenant
  const { currency, locale, timeZone, country } = checkedProfile({
    currency: tenant.currency ?? 'INR',
    locale: tenant.locale ?? 'en',
    timeZone: tenant.timeZone ?? 'UTC',
    country: company?.country ?? null,
  })
  if (reservedSlugs.has(slug)) refuse('slug', 'RESERVED', 'is a name of the installation')
  return runControl(async (tx) => {
    await checkPlan(tx, plan)
    const owner = 'id' in whose ? whose.id : await findAccount(tx, whose.email)
    const invited = owner === undefined && 'email' in whose ? whose.email : undefined
    if (invited !== undefined && !invite) refuseUnknownOwner('owner.email')
    const inserted = await tx.query(
      `INSERT INTO kernel.tenant (id, slug, name, currency, plan, locale, time_zone, country, company, state)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (slug) DO NOTHING RETURNING id`,
      [id, slug, name, currency, plan, locale, timeZone, country, company?.name ?? null, state],
    )
    if (inserted.length === 0) throw errors.recordConflict({ entity: 'tenant', fields: ['slug'] })
    if (owner !== undefined)
      await tx.query(`INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, 'owner')`, [
        id,
        owner,
      ])
    await tx.audit({
      tenantId: id,
      ...by,
      entity: 'tenant',
      recordId: id,
      action: 'created',
      after: {
        slug,
        name,
        currency,
        plan,
        locale,
        timeZone,
        country,
        company: company?.name,
        state,
        owner,
        invited,
      },
    })
    const switcher = { ...by.origin, requestId: by.requestId, actor: { id: by.actorId }, tenant: { id } }
    for (const { module, consent } of modules)
      await enableModuleWithin(tx, plugins, switcher, module, consent)
    if (owner !== undefined) await tx.announce({ kind: 'member', id: membershipKey(id, owner) })
    else if (invited !== undefined) await invite?.(tx, by, { id, name, locale: locale ?? 'en' }, invited)
    return id
  })
}

function refuse(field: string, code: string, message: string): never {
  throw errors.validation({ errors: [{ field, code, message }] })
}

/** @throws VALIDATION_FAILED when there is no such plan */
export async function checkPlan(tx: ControlTransaction, plan: string): Promise<void> {
  const plans = await tx.query<{ code: string }>('SELECT code FROM kernel.plan ORDER BY monthly_price', [])
  if (plans.some((one) => one.code === plan)) return
  refuse('plan', 'UNKNOWN_PLAN', `There is no plan '${plan}'. Plans: ${plans.map((p) => p.code).join(', ')}.`)
}

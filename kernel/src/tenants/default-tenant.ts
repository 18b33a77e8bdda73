// The tenant that a person enters when a request names none.
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { Identified } from '../stages.ts'
import type { RunControl } from './control-transaction.ts'
import { membershipKey, type TenantDirectory } from './tenant-directory.ts'

/** Slug and id, or null when there is no choice. */
export interface DefaultTenant {
  readonly tenant: { readonly id: string; readonly slug: string } | null
}

export async function defaultTenant(
  directory: TenantDirectory,
  by: Pick<Identified, 'actor'>,
): Promise<DefaultTenant> {
  const home = await directory.homeOf(by.actor.id)
  const tenant = home === undefined ? undefined : await directory.find(home)
  return { tenant: tenant ? { id: tenant.id, slug: tenant.slug } : null }
}

/** `name` is a slug or an id; null takes the choice back. @throws TENANT_NOT_FOUND, also of one that he is no member of */
export async function setDefaultTenant(
  parts: { readonly directory: TenantDirectory; readonly runControl: RunControl },
  by: Identified,
  name: string | null,
): Promise<DefaultTenant> {
  const { directory, runControl } = parts
  const tenant = name === null ? undefined : await directory.find(name.toLowerCase())
  await runControl(async (tx) => {
    const [before] = await tx.query<{ tenant_id: string }>(
      'DELETE FROM kernel.default_tenant WHERE user_id = $1 RETURNING tenant_id',
      [by.actor.id],
    )
    if (name !== null) {
      // Read behind the transaction's own look, not from memory: a membership may have ended this moment.
      const set = await tx.query(
        `INSERT INTO kernel.default_tenant (user_id, tenant_id)
         SELECT m.user_id, m.tenant_id FROM kernel.membership m WHERE m.user_id = $1 AND m.tenant_id = $2
         ON CONFLICT (user_id) DO UPDATE SET tenant_id = excluded.tenant_id RETURNING user_id`,
        [by.actor.id, tenant?.id ?? null],
      )
      if (set.length === 0) throw errors.tenantNotFound({ tenant: name.slice(0, 64) })
    }
    const concerned = tenant?.id ?? before?.tenant_id
    if (concerned === undefined) return
    await tx.audit({
      tenantId: concerned,
      ...auditedBy(by),
      entity: 'defaultTenant',
      recordId: by.actor.id,
      action: name === null ? 'removed' : 'changed',
    })
    await tx.announce({ kind: 'member', id: membershipKey(concerned, by.actor.id) })
  })
  return defaultTenant(directory, by)
}

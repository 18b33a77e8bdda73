// Roles of a tenant: made, changed and taken away by whoever may, and never with more than he has himself.

import { randomUUIDv7 } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Manifest } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { AccessRule } from './access-rule.ts'
import { checkRules } from './check-rules.ts'
import { refuseForHolders } from './duty-conflicts.ts'
import { lockAccess } from './lock-access.ts'
import { type GrantParts, lifted, refuseUngranted } from './may-grant.ts'
import { recordAccess } from './record-access.ts'

export interface TenantRole {
  readonly id: string
  readonly kind: 'builtin' | 'template' | 'custom'
  readonly name: string
  readonly description: string
  readonly rules: readonly AccessRule[]
  readonly version: number
  /** How many people have it. */
  readonly members?: number
}

export interface RoleInput {
  readonly name: string
  readonly description?: string
  readonly rules: readonly AccessRule[]
}

export interface RoleRow {
  id: string
  name: string
  description: string
  rules: AccessRule[]
  version: number
  members: number
}

const mostRoles = 500

export const selectRole = `
  SELECT r.id, r.name, r.description, r.rules, r.version,
         (SELECT count(*)::int FROM kernel.member_role m WHERE m.tenant_id = r.tenant_id AND m.role_id = r.id) AS members
    FROM kernel.role r WHERE r.tenant_id = $1`

export const roleFromRow = (row: RoleRow): TenantRole => ({ ...row, kind: 'custom' })

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** @throws RECORD_NOT_FOUND */
export async function readRole(tx: ControlTransaction, tenantId: string, id: string): Promise<TenantRole> {
  const [row] = uuid.test(id)
    ? await tx.query<RoleRow>(`${selectRole} AND r.id = $2 FOR UPDATE OF r`, [tenantId, id])
    : []
  if (!row) throw errors.recordNotFound({ entity: 'role', id })
  return roleFromRow(row)
}

async function refuseTaken(
  tx: ControlTransaction,
  tenantId: string,
  name: string,
  id: string,
): Promise<void> {
  const same = await tx.query(
    'SELECT id FROM kernel.role WHERE tenant_id = $1 AND lower(name) = lower($2) AND id <> $3',
    [tenantId, name, id],
  )
  if (same.length > 0) throw errors.recordConflict({ entity: 'role', fields: ['name'] })
}

export async function createRole(
  { runControl, off }: GrantParts,
  manifests: readonly Manifest[],
  by: Located,
  { name, description = '', rules }: RoleInput,
): Promise<TenantRole> {
  checkRules(manifests, rules)
  return runControl(async (tx) => {
    refuseUngranted(await lockAccess(tx, by, 'tenant.roles.manage'), manifests, rules, by.scopes, off)
    const id = randomUUIDv7()
    await refuseTaken(tx, by.tenant.id, name, id)
    const [{ count } = { count: 0 }] = await tx.query<{ count: number }>(
      'SELECT count(*)::int FROM kernel.role WHERE tenant_id = $1',
      [by.tenant.id],
    )
    if (count >= mostRoles) throw errors.tooMany({ what: 'roles', most: mostRoles })
    await tx.query(
      `INSERT INTO kernel.role (tenant_id, id, name, description, rules, created_by, updated_by)
       VALUES ($1, $2, $3, $4, $5, $6, $6)`,
      [by.tenant.id, id, name, description, JSON.stringify(rules), by.actor.id],
    )
    const role = await readRole(tx, by.tenant.id, id)
    await recordAccess(tx, by, 'role', id, 'created', { after: role })
    return role
  })
}

export async function changeRole(
  { runControl, off }: GrantParts,
  manifests: readonly Manifest[],
  by: Located,
  id: string,
  { versions, ...changes }: Partial<RoleInput> & { readonly versions?: readonly number[] },
): Promise<TenantRole> {
  if (changes.rules) checkRules(manifests, changes.rules)
  return runControl(async (tx) => {
    const caller = await lockAccess(tx, by, 'tenant.roles.manage')
    const before = await readRole(tx, by.tenant.id, id)
    if (versions && !versions.includes(before.version))
      throw errors.versionConflict({ entity: 'role', id, version: before.version })
    const { name, description, rules } = { ...before, ...changes }
    const isIn = (list: readonly AccessRule[], rule: AccessRule) =>
      list.some((one) => isDeepStrictEqual(one, rule))
    const added = rules.filter((rule) => !isIn(before.rules, rule))
    const removed = before.rules.filter((rule) => !isIn(rules, rule))
    refuseUngranted(caller, manifests, [...added, ...lifted(removed)], by.scopes, off)
    if (name !== before.name) await refuseTaken(tx, by.tenant.id, name, id)
    await tx.query(
      `UPDATE kernel.role SET name = $3, description = $4, rules = $5, version = version + 1,
              updated_at = now(), updated_by = $6 WHERE tenant_id = $1 AND id = $2`,
      [by.tenant.id, id, name, description, JSON.stringify(rules), by.actor.id],
    )
    if (added.length > 0 || removed.length > 0)
      await refuseForHolders(tx, by.tenant.id, manifests, id, before)
    const after = await readRole(tx, by.tenant.id, id)
    await recordAccess(tx, by, 'role', id, 'changed', { before, after })
    return after
  })
}

/** A role that somebody has is taken from him first: what he loses by it is then seen. So is one that a group gives. */
export async function deleteRole(
  runControl: RunControl,
  by: Located,
  id: string,
  versions?: readonly number[],
): Promise<void> {
  await runControl(async (tx) => {
    await lockAccess(tx, by, 'tenant.roles.manage')
    const before = await readRole(tx, by.tenant.id, id)
    if (versions && !versions.includes(before.version))
      throw errors.versionConflict({ entity: 'role', id, version: before.version })
    const mapped = await tx.query(
      `SELECT FROM kernel.sso_connection c, jsonb_each(c.group_roles) AS given
        WHERE c.tenant_id = $1 AND given.value ? $2`,
      [by.tenant.id, id],
    )
    if ((before.members ?? 0) > 0 || mapped.length > 0) throw errors.recordInUse({ entity: 'role', id })
    await tx.query('DELETE FROM kernel.role WHERE tenant_id = $1 AND id = $2', [by.tenant.id, id])
    await recordAccess(tx, by, 'role', id, 'removed', { before })
  })
}

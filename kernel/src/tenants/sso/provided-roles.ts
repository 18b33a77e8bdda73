// Gives a member what his groups at the identity provider give, and takes away what they gave before. What somebody
// gave him by hand stays, and so does all that an owner has.
import type { Manifest } from '@plinth/sdk'
import type { AuditedBy } from '../../audit/write-audit.ts'
import { errors, isPlinthError } from '../../errors.ts'
import { mostRolesOfOne } from '../../permissions/assign-roles.ts'
import type { TenantRole } from '../../permissions/change-roles.ts'
import { refuseConflicts } from '../../permissions/duty-conflicts.ts'
import type { Grants } from '../../permissions/grants.ts'
import { grantsOfMember, membershipOf } from '../../permissions/lock-access.ts'
import type { ControlTransaction } from '../control-transaction.ts'
import { membershipKey } from '../tenant-directory.ts'
import { linkIssuerOf, type SsoSettings } from './connection.ts'
import { givenByGroups, readRoles } from './group-roles.ts'

export interface Providing {
  readonly tenantId: string
  readonly settings: SsoSettings
  readonly manifests: readonly Manifest[]
  readonly by: AuditedBy
  /** What duties forbid is refused, as it is by hand. Else he has all but that: he is signing in. */
  readonly refuses?: boolean
  /** Groups that he was in until now: a membership that they named is set again. */
  readonly left?: readonly string[]
}

/** Names that the mapping may have for a group of the directory. */
const directoryGroups = `
  SELECT unnest(ARRAY[g.display_name, g.external_id]) AS name
    FROM kernel.scim_group_member m JOIN kernel.scim_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
   WHERE m.tenant_id = $1 AND m.user_id = $2`

const names = async (tx: ControlTransaction, text: string, values: readonly unknown[]): Promise<string[]> =>
  (await tx.query<{ name: string | null }>(text, values)).flatMap(({ name }) => name ?? [])

/** Behind the lock of the tenant's row. Nothing for who is no member now. @throws DUTY_CONFLICT, TOO_MANY where it `refuses` */
export async function setProvidedRoles(tx: ControlTransaction, to: Providing, userId: string): Promise<void> {
  const { tenantId, settings } = to
  const now = await membershipOf(tx, tenantId, userId)
  if (now === undefined || now === 'owner') return
  const claimed = await names(
    tx,
    'SELECT unnest(groups) AS name FROM kernel.sso_link WHERE tenant_id = $1 AND user_id = $2 AND issuer = $3',
    [tenantId, userId, linkIssuerOf(settings)],
  )
  const listed = await names(tx, directoryGroups, [tenantId, userId])
  const { membership, roleIds } = givenByGroups(settings, [...claimed, ...listed])
  // An admin of the tenant's own making is not unmade by groups that say nothing of memberships.
  const isSaid = givenByGroups(settings, [...listed, ...(to.left ?? [])]).isNamed
  if (membership !== now && (settings.groupClaim !== undefined || isSaid))
    await setMembership(tx, to, userId, now, membership)
  await setRoles(tx, to, userId, roleIds)
}

async function setMembership(
  tx: ControlTransaction,
  { tenantId, by }: Providing,
  userId: string,
  before: string,
  role: string,
): Promise<void> {
  await tx.query('UPDATE kernel.membership SET role = $3 WHERE tenant_id = $1 AND user_id = $2', [
    tenantId,
    userId,
    role,
  ])
  const change = { before: { role: before }, after: { role, by: 'single sign-on' } }
  await tx.audit({ tenantId, ...by, entity: 'membership', recordId: userId, action: 'changed', ...change })
  await tx.announce({ kind: 'member', id: membershipKey(tenantId, userId) })
}

async function setRoles(
  tx: ControlTransaction,
  to: Providing,
  userId: string,
  roleIds: readonly string[],
): Promise<void> {
  const { tenantId } = to
  const had = await tx.query<{ id: string; origin: string }>(
    'SELECT role_id AS id, origin FROM kernel.member_role WHERE tenant_id = $1 AND user_id = $2 ORDER BY role_id',
    [tenantId, userId],
  )
  const ended = had.filter(({ id, origin }) => origin === 'provider' && !roleIds.includes(id))
  const added = roleIds.filter((id) => !had.some((one) => one.id === id))
  if (ended.length === 0 && added.length === 0) return
  let member = await grantsOfMember(tx, tenantId, userId)
  const known = await readRoles(tx, tenantId, [...ended.map(({ id }) => id), ...added])
  for (const { id } of ended) {
    const role = known.get(id)
    const without = { ...member, roles: member.roles.filter((one) => one.id !== id) }
    if (role && (await take(tx, to, member, without, role))) member = without
  }
  for (const id of added) {
    // A role that a mapping names is not deleted.
    const role = known.get(id)
    if (role && (await give(tx, to, member, role))) member = { ...member, roles: [...member.roles, role] }
  }
  await tx.announce({ kind: 'access', id: tenantId })
}

const record = (
  tx: ControlTransaction,
  { tenantId, by }: Providing,
  userId: string,
  action: string,
  change: { readonly before?: object; readonly after?: object },
) => tx.audit({ tenantId, ...by, entity: 'member_role', recordId: userId, action, ...change })

/** Whether `work` is not refused; if it is and he is signing in, that is written down, and all stays as it was. */
async function isFree(
  tx: ControlTransaction,
  to: Providing,
  userId: string,
  { id, name }: TenantRole,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (to.refuses || !isPlinthError(error)) throw error
    const after = { id, name, by: 'single sign-on', reason: error.message }
    await record(tx, to, userId, 'withheld', { after })
    return false
  }
}

/** Whether he has it no more: what it denied him may be one of a pair. */
async function take(
  tx: ControlTransaction,
  to: Providing,
  member: Grants,
  without: Grants,
  role: TenantRole,
): Promise<boolean> {
  const { userId } = member
  const check = () => refuseConflicts(tx, to.tenantId, to.manifests, member, without)
  if (!(await isFree(tx, to, userId, role, check))) return false
  await tx.query('DELETE FROM kernel.member_role WHERE tenant_id = $1 AND user_id = $2 AND role_id = $3', [
    to.tenantId,
    userId,
    role.id,
  ])
  const before = { id: role.id, name: role.name, by: 'single sign-on' }
  await record(tx, to, userId, 'unassigned', { before })
  return true
}

/** Whether he has it then. */
async function give(
  tx: ControlTransaction,
  to: Providing,
  member: Grants,
  role: TenantRole,
): Promise<boolean> {
  const { tenantId, manifests } = to
  const { id, name } = role
  const check = async () => {
    if (member.roles.length >= mostRolesOfOne)
      throw errors.tooMany({ what: 'roles of a member', most: mostRolesOfOne })
    await refuseConflicts(tx, tenantId, manifests, member, { ...member, roles: [...member.roles, role] })
  }
  if (!(await isFree(tx, to, member.userId, role, check))) return false
  await tx.query(
    `INSERT INTO kernel.member_role (tenant_id, user_id, role_id, assigned_by, origin)
     VALUES ($1, $2, $3, $4, 'provider')`,
    [tenantId, member.userId, id, to.by.actorId],
  )
  await record(tx, to, member.userId, 'assigned', { after: { id, name, by: 'single sign-on' } })
  return true
}

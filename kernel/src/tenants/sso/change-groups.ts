// A tenant's directory changes its groups, and with them what the people in them have here. It gives no more than its
// account has itself.
import { randomUUIDv7 } from 'node:crypto'
import type { Manifest } from '@plinth/sdk'
import { auditedBy } from '../../audit/write-audit.ts'
import type { DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import type { Grants } from '../../permissions/grants.ts'
import { lockAccess } from '../../permissions/lock-access.ts'
import { holdsEverything, lifted, refuseUngranted } from '../../permissions/may-grant.ts'
import { requireTenantPermission } from '../../permissions/tenant-permissions.ts'
import type { Located } from '../../stages.ts'
import type { ControlTransaction } from '../control-transaction.ts'
import { readSsoSettings, type SsoSettings } from './connection.ts'
import { type DirectoryGroup, mostGroups, mostInGroup, readGroup, strangersIn } from './directory-groups.ts'
import { givenByGroups, isMapped, readRoles } from './group-roles.ts'
import { setProvidedRoles } from './provided-roles.ts'

export interface GroupState {
  readonly displayName: string
  readonly externalId?: string | undefined
  readonly members: readonly string[]
}

export interface GroupParts {
  readonly manifests: readonly Manifest[]
  readonly off: DefencesOff
}

interface Turn {
  readonly settings: SsoSettings
  readonly caller: Grants
}

/** Who keeps groups makes people what they are here, admins among them. @throws FORBIDDEN, SCOPE_REQUIRED */
export function mayManageGroups(by: Pick<Located, 'grants' | 'scopes'>): void {
  requireTenantPermission(by, 'tenant.members.manage')
  requireTenantPermission(by, 'tenant.roles.manage')
  if (!holdsEverything(by.grants)) throw errors.forbidden({ permission: '*' })
}

async function takeTurn(tx: ControlTransaction, by: Located): Promise<Turn> {
  const caller = await lockAccess(tx, by)
  mayManageGroups({ ...by, grants: caller })
  const settings = await readSsoSettings(tx, by.tenant.id)
  if (!settings) throw errors.ssoNotConfigured({})
  return { settings, caller }
}

const namesOf = ({ displayName, externalId }: GroupState): string[] =>
  externalId === undefined ? [displayName] : [displayName, externalId]

async function refuseTaken(
  tx: ControlTransaction,
  tenantId: string,
  { displayName, externalId }: GroupState,
  id: string,
): Promise<void> {
  const [same] = await tx.query<{ by_name: boolean }>(
    `SELECT lower(display_name) = lower($3) AS by_name FROM kernel.scim_group
      WHERE tenant_id = $1 AND id <> $2 AND (lower(display_name) = lower($3) OR external_id = $4) LIMIT 1`,
    [tenantId, id, displayName, externalId ?? null],
  )
  if (same)
    throw errors.recordConflict({ entity: 'group', fields: [same.by_name ? 'displayName' : 'externalId'] })
}

async function setMembers(
  tx: ControlTransaction,
  tenantId: string,
  id: string,
  { added, removed }: { readonly added: readonly string[]; readonly removed: readonly string[] },
): Promise<void> {
  const [stranger] = await strangersIn(tx, tenantId, added)
  if (stranger !== undefined) {
    const message = `'${stranger.slice(0, 64)}' is nobody of this tenant with an address of its verified domains`
    throw errors.validation({ errors: [{ field: 'members', code: 'INVALID', message }] })
  }
  await tx.query(
    'DELETE FROM kernel.scim_group_member WHERE tenant_id = $1 AND group_id = $2 AND user_id = ANY ($3)',
    [tenantId, id, removed],
  )
  await tx.query(
    'INSERT INTO kernel.scim_group_member (tenant_id, group_id, user_id) SELECT $1, $2, unnest($3::text[])',
    [tenantId, id, added],
  )
}

/** Asked of the group and not of its people: who is away now is given its roles when he comes back. */
async function refuseUngrantedNames(
  tx: ControlTransaction,
  tenantId: string,
  { settings, caller }: Turn,
  { manifests, off }: GroupParts,
  names: { readonly left: readonly string[]; readonly given: readonly string[] },
): Promise<void> {
  const rulesOf = async (groups: readonly string[]) => {
    const roles = await readRoles(tx, tenantId, givenByGroups(settings, groups).roleIds)
    return [...roles.values()].flatMap(({ rules }) => rules)
  }
  const rules = [...(await rulesOf(names.given)), ...lifted(await rulesOf(names.left))]
  refuseUngranted(caller, manifests, rules, undefined, off)
}

/** Roles of everybody whom the change concerns; nothing for groups that give nothing. */
async function follow(
  tx: ControlTransaction,
  by: Located,
  turn: Turn,
  parts: GroupParts,
  change: { readonly before?: GroupState; readonly after?: GroupState },
): Promise<void> {
  const { before, after } = change
  const left = before ? namesOf(before) : []
  const given = after ? namesOf(after) : []
  if (![...left, ...given].some((name) => isMapped(turn.settings, name))) return
  const had = new Set(before?.members)
  const has = new Set(after?.members)
  const isRenamed = String(left) !== String(given)
  const people = [...new Set([...had, ...has])].filter((id) => isRenamed || had.has(id) !== has.has(id))
  if (people.length === 0) return
  await refuseUngrantedNames(tx, by.tenant.id, turn, parts, { left, given })
  const { settings } = turn
  const to = { ...providing(by, parts.manifests, settings), left, refuses: true }
  for (const id of people.sort()) await setProvidedRoles(tx, to, id)
}

const providing = (by: Located, manifests: readonly Manifest[], settings: SsoSettings) => ({
  tenantId: by.tenant.id,
  settings,
  manifests,
  by: auditedBy(by),
})

async function put(
  tx: ControlTransaction,
  by: Located,
  turn: Turn,
  parts: GroupParts,
  id: string,
  change: { readonly before?: DirectoryGroup; readonly after: GroupState },
): Promise<DirectoryGroup> {
  const { before } = change
  const tenantId = by.tenant.id
  const after = { ...change.after, members: [...new Set(change.after.members)] }
  if (after.members.length > mostInGroup)
    throw errors.tooMany({ what: 'members of a group', most: mostInGroup })
  await refuseTaken(tx, tenantId, after, id)
  await tx.query(
    `INSERT INTO kernel.scim_group (tenant_id, id, display_name, external_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, id) DO UPDATE SET display_name = excluded.display_name,
       external_id = excluded.external_id, updated_at = now()`,
    [tenantId, id, after.displayName, after.externalId ?? null],
  )
  const had = new Set(before?.members)
  const has = new Set(after.members)
  const added = after.members.filter((member) => !had.has(member))
  const removed = [...had].filter((member) => !has.has(member))
  await setMembers(tx, tenantId, id, { added, removed })
  await follow(tx, by, turn, parts, { ...(before && { before }), after })
  const told = ({ displayName, externalId }: GroupState) => ({ displayName, externalId })
  await tx.audit({
    tenantId,
    ...auditedBy(by),
    entity: 'directoryGroup',
    recordId: id,
    action: before ? 'changed' : 'created',
    ...(before && { before: told(before) }),
    after: { ...told(after), added, removed },
  })
  return readGroup(tx, tenantId, id)
}

/** @throws SSO_NOT_CONFIGURED, VALIDATION_FAILED for members who are nobody here, RECORD_CONFLICT, TOO_MANY */
export async function createGroup(
  tx: ControlTransaction,
  by: Located,
  parts: GroupParts,
  state: GroupState,
): Promise<DirectoryGroup> {
  const turn = await takeTurn(tx, by)
  const [{ count } = { count: 0 }] = await tx.query<{ count: number }>(
    'SELECT count(*)::int FROM kernel.scim_group WHERE tenant_id = $1',
    [by.tenant.id],
  )
  if (count >= mostGroups) throw errors.tooMany({ what: 'groups', most: mostGroups })
  return put(tx, by, turn, parts, randomUUIDv7(), { after: state })
}

/** `change` is given the group as it is, behind the tenant's turn. @throws RECORD_NOT_FOUND and as `createGroup` */
export async function changeGroup(
  tx: ControlTransaction,
  by: Located,
  parts: GroupParts,
  id: string,
  change: (group: DirectoryGroup) => GroupState,
): Promise<DirectoryGroup> {
  const turn = await takeTurn(tx, by)
  const before = await readGroup(tx, by.tenant.id, id)
  return put(tx, by, turn, parts, before.id, { before, after: change(before) })
}

/** What it gave its members goes with it. @throws RECORD_NOT_FOUND */
export async function removeGroup(
  tx: ControlTransaction,
  by: Located,
  parts: GroupParts,
  id: string,
  check: (group: DirectoryGroup) => void,
): Promise<void> {
  const turn = await takeTurn(tx, by)
  const before = await readGroup(tx, by.tenant.id, id)
  check(before)
  await tx.query('DELETE FROM kernel.scim_group WHERE tenant_id = $1 AND id = $2', [by.tenant.id, before.id])
  await follow(tx, by, turn, parts, { before })
  await tx.audit({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'directoryGroup',
    recordId: before.id,
    action: 'removed',
    before: { displayName: before.displayName, externalId: before.externalId, members: before.members },
  })
}

/** For who comes back: his groups may have changed while he was away. */
export async function followGroupsOf(
  tx: ControlTransaction,
  by: Located,
  { manifests }: GroupParts,
  userId: string,
): Promise<void> {
  const settings = await readSsoSettings(tx, by.tenant.id)
  if (settings) await setProvidedRoles(tx, providing(by, manifests, settings), userId)
}

// The groups of a tenant's directory as it tells them (SCIM): their names, and which of the tenant's people are in them.
import { errors } from '../../errors.ts'
import type { ControlTransaction } from '../control-transaction.ts'

export const mostGroups = 1_000
export const mostInGroup = 5_000
/** In one answer, of all its groups together. */
const mostListed = 10_000

export interface DirectoryGroup {
  readonly id: string
  readonly displayName: string
  readonly externalId?: string
  /** Ids of people. */
  readonly members: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
}

export interface GroupFilter {
  readonly id?: string
  readonly displayName?: string
  readonly externalId?: string
}

interface GroupRow {
  id: string
  display_name: string
  external_id: string | null
  created_at: Date
  updated_at: Date
  size: number
  total: number
}

type Reading = Pick<ControlTransaction, 'query'>

const select = `
  SELECT g.id, g.display_name, g.external_id, g.created_at, g.updated_at, count(*) OVER ()::int AS total,
         (SELECT count(*)::int FROM kernel.scim_group_member m
           WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id) AS size
    FROM kernel.scim_group g
   WHERE g.tenant_id = $1 AND ($2::text IS NULL OR g.id::text = $2)
     AND ($3::text IS NULL OR lower(g.display_name) = lower($3)) AND ($4::text IS NULL OR g.external_id = $4)
   ORDER BY g.id OFFSET $5 LIMIT $6`

const fromRow = (row: GroupRow, members: readonly string[]): DirectoryGroup => ({
  id: row.id,
  displayName: row.display_name,
  ...(row.external_id === null ? {} : { externalId: row.external_id }),
  members,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})

async function membersOf(
  tx: Reading,
  tenantId: string,
  groups: readonly GroupRow[],
): Promise<ReadonlyMap<string, string[]>> {
  const rows = await tx.query<{ group_id: string; user_id: string }>(
    `SELECT group_id, user_id FROM kernel.scim_group_member
      WHERE tenant_id = $1 AND group_id = ANY ($2) ORDER BY group_id, user_id`,
    [tenantId, groups.map(({ id }) => id)],
  )
  const members = new Map<string, string[]>(groups.map(({ id }) => [id, []]))
  for (const { group_id, user_id } of rows) members.get(group_id)?.push(user_id)
  return members
}

/** Fewer than `limit` where they have too many members for one answer. Members are left out where they are not wanted. */
export async function listGroups(
  tx: Reading,
  tenantId: string,
  { id, displayName, externalId }: GroupFilter,
  page: { readonly offset: number; readonly limit: number; readonly withMembers: boolean },
): Promise<{ readonly items: readonly DirectoryGroup[]; readonly total: number }> {
  const values = [tenantId, id ?? null, displayName ?? null, externalId ?? null]
  const rows = await tx.query<GroupRow>(select, [...values, page.offset, Math.max(1, page.limit)])
  const total = rows[0]?.total ?? 0
  let listed = 0
  const shown = rows.slice(0, page.limit).filter(({ size }, at) => {
    if (page.withMembers) listed += size
    return at === 0 || listed <= mostListed
  })
  const members = page.withMembers ? await membersOf(tx, tenantId, shown) : new Map<string, string[]>()
  return { items: shown.map((row) => fromRow(row, members.get(row.id) ?? [])), total }
}

/** @throws RECORD_NOT_FOUND */
export async function readGroup(tx: Reading, tenantId: string, id: string): Promise<DirectoryGroup> {
  const page = { offset: 0, limit: 1, withMembers: true }
  const { items } = await listGroups(tx, tenantId, { id: id.toLowerCase() }, page)
  if (!items[0]) throw errors.recordNotFound({ entity: 'group', id: id.slice(0, 64) })
  return items[0]
}

/** Those of the ids that are no people of the tenant with an address of its verified domains. */
export async function strangersIn(
  tx: Reading,
  tenantId: string,
  userIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT given.id FROM unnest($2::text[]) AS given(id)
      WHERE NOT EXISTS (
        SELECT FROM (SELECT tenant_id, user_id FROM kernel.membership
                     UNION ALL SELECT tenant_id, user_id FROM kernel.inactive_member) m
          JOIN identity."user" u ON u.id = m.user_id
          JOIN kernel.sso_domain d ON d.tenant_id = m.tenant_id AND d.verified_at IS NOT NULL
               AND d.domain = split_part(lower(u.email), '@', 2)
         WHERE m.tenant_id = $1 AND m.user_id = given.id)`,
    [tenantId, userIds],
  )
  return rows.map(({ id }) => id)
}

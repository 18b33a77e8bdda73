// What a person was given, from the database: in a pool for requests, in a transaction for whoever changes it.
import type pg from 'pg'
import type { MembershipRole } from '../stages.ts'
import type { AccessRule } from './access-rule.ts'
import type { Granted, GrantedRole, Grants } from './grants.ts'
import { noScopes, type ScopeSource, type Scopes } from './scope-source.ts'

export type RunQuery = <Row extends pg.QueryResultRow>(
  text: string,
  values: readonly unknown[],
) => Promise<readonly Row[]>

interface RoleRow {
  user_id: string
  id: string
  name: string
  rules: AccessRule[]
}

interface LoanRow {
  id: string
  lender: string
  role: MembershipRole
  permissions: string[]
  starts_at: Date
  ends_at: Date
}

/** Borrowed at most: whoever has more has a role to be given. */
const mostLoans = 100

async function rolesOf(
  query: RunQuery,
  tenantId: string,
  userIds: readonly string[],
): Promise<Map<string, GrantedRole[]>> {
  const rows = await query<RoleRow>(
    `SELECT m.user_id, r.id, r.name, r.rules FROM kernel.member_role m
       JOIN kernel.role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
      WHERE m.tenant_id = $1 AND m.user_id = ANY ($2) ORDER BY m.assigned_at, r.id`,
    [tenantId, userIds],
  )
  const roles = new Map<string, GrantedRole[]>()
  for (const { user_id, ...role } of rows) roles.set(user_id, [...(roles.get(user_id) ?? []), role])
  return roles
}

const asksScopes = (roles: readonly GrantedRole[]): boolean =>
  roles.some(({ rules }) =>
    rules.some(({ when = [] }) => when.some((clause) => 'team' in clause || 'unit' in clause)),
  )

const nextMidnight = (now: number): number => {
  const day = new Date(now)
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + 1)
}

/** `role` is that of the membership, which is known already; `isComing` counts loans that have not begun as those that run. */
export async function readGrants(
  query: RunQuery,
  source: ScopeSource,
  tenantId: string,
  userId: string,
  role: MembershipRole,
  { isComing = false } = {},
): Promise<Grants> {
  const now = Date.now()
  const loans = await query<LoanRow>(
    `SELECT d.id, d.lender, m.role, d.permissions, d.starts_at, d.ends_at FROM kernel.delegation d
       JOIN kernel.membership m ON m.tenant_id = d.tenant_id AND m.user_id = d.lender
      WHERE d.tenant_id = $1 AND d.borrower = $2 AND d.ended_at IS NULL AND d.ends_at > $3
      ORDER BY d.starts_at, d.id LIMIT ${mostLoans}`,
    [tenantId, userId, new Date(now)],
  )
  const running = loans.filter((loan) => isComing || loan.starts_at.getTime() <= now)
  const roles = await rolesOf(query, tenantId, [userId, ...running.map(({ lender }) => lender)])
  let asked = false
  const person = async (id: string, membership: MembershipRole): Promise<Granted> => {
    const own = roles.get(id) ?? []
    let scopes: Scopes = noScopes
    if (asksScopes(own)) {
      asked = true
      scopes = await source.scopesOf(tenantId, id)
    }
    return { userId: id, role: membership, roles: own, scopes }
  }
  const self = await person(userId, role)
  const lent = await Promise.all(
    running.map(async ({ id, lender, role: membership, permissions }) => ({
      delegation: id,
      permissions,
      by: await person(lender, membership),
    })),
  )
  const moments = [
    ...loans.flatMap((loan) => [loan.starts_at.getTime(), loan.ends_at.getTime()]),
    ...(asked ? [nextMidnight(now)] : []),
  ].filter((moment) => moment > now)
  return { ...self, lent, ...(moments.length > 0 ? { until: Math.min(...moments) } : {}) }
}

// Who stands behind the keys of an approver, and which keys a person has: by his membership, by the positions he holds, and
// by those whom he stands in for today. Asked anew each time, so a role or a position that is gone decides nothing.
import type { Json } from '@plinth/sdk'
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import type { Tenant } from '../stages.ts'

/** A service of the tenant's organisation; undefined when he has none. */
export type AskOrganisation = (
  service: string,
  input: Readonly<Record<string, Json>>,
) => Promise<Json | undefined>

/** What a person may decide as: himself, or somebody for whom he stands in. */
export interface Capacity {
  readonly person: string
  readonly keys: ReadonlySet<string>
}

export interface Approvers {
  /** The person himself first. */
  capacitiesOf(tenant: Tenant, person: string, ask: AskOrganisation): Promise<readonly Capacity[]>
  /** People, and no programs, who are members of the tenant today. */
  peopleBehind(tenant: Tenant, keys: readonly string[], ask: AskOrganisation): Promise<readonly string[]>
  /** Who stands in for one of these today. */
  substitutesOf(tenant: Tenant, people: readonly string[]): Promise<readonly string[]>
}

/** Texts in a list that a service answered with. */
export function textsIn(answer: Json | undefined, list: string): readonly string[] {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return []
  const found = (answer as Readonly<Record<string, Json>>)[list]
  return Array.isArray(found) ? found.filter((one): one is string => typeof one === 'string') : []
}

const isMembershipRole = (role: string): boolean => ['owner', 'admin', 'member'].includes(role)

const today = () => new Date().toISOString().slice(0, 10)

export function createApprovers(pool: pg.Pool): Approvers {
  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
    (await fromDatabase(() => pool.query<Row>(text, [...values]))).rows

  /** Without a membership he has no key at all. */
  async function keysOf(tenant: Tenant, person: string, ask: AskOrganisation): Promise<ReadonlySet<string>> {
    const roles = await query<{ role: string }>(
      `SELECT role FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2 AND deactivated_at IS NULL
       UNION ALL
       SELECT role_id::text FROM kernel.member_role WHERE tenant_id = $1 AND user_id = $2`,
      [tenant.id, person],
    )
    // What a role was given for goes with the membership; a deactivated one leaves the roles behind.
    if (!roles.some(({ role }) => isMembershipRole(role))) return new Set()
    const positions = textsIn(await ask('positionsOf', { person }), 'positions')
    return new Set([
      `person:${person}`,
      ...roles.map(({ role }) => `role:${role}`),
      ...positions.map((position) => `position:${position}`),
    ])
  }

  return {
    async capacitiesOf(tenant, person, ask) {
      const own = { person, keys: await keysOf(tenant, person, ask) }
      if (own.keys.size === 0) return []
      const away = await query<{ person: string }>(
        `SELECT DISTINCT person FROM kernel.absence
          WHERE tenant_id = $1 AND substitute = $2 AND $3::date BETWEEN first_day AND last_day ORDER BY person LIMIT 50`,
        [tenant.id, person, today()],
      )
      // One step: who stands in for somebody does not stand in for whom that one stands in for.
      const others = await Promise.all(
        away.map(async (one) => ({ person: one.person, keys: await keysOf(tenant, one.person, ask) })),
      )
      return [own, ...others]
    },
    async peopleBehind(tenant, keys, ask) {
      const named = (kind: string) =>
        keys.filter((key) => key.startsWith(`${kind}:`)).map((key) => key.slice(kind.length + 1))
      const holders = await Promise.all(
        named('position').map(async (position) => textsIn(await ask('holdersOf', { position }), 'people')),
      )
      const rows = await query<{ user_id: string }>(
        `SELECT m.user_id FROM kernel.membership m JOIN identity."user" u ON u.id = m.user_id
          WHERE m.tenant_id = $1 AND m.deactivated_at IS NULL
            AND (m.user_id = ANY ($2) OR m.role = ANY ($3) OR EXISTS (
              SELECT FROM kernel.member_role r
               WHERE r.tenant_id = m.tenant_id AND r.user_id = m.user_id AND r.role_id::text = ANY ($3)))
          ORDER BY m.user_id LIMIT 1000`,
        [tenant.id, [...named('person'), ...holders.flat()], named('role')],
      )
      return rows.map((row) => row.user_id)
    },
    async substitutesOf(tenant, people) {
      const rows = await query<{ substitute: string }>(
        `SELECT DISTINCT a.substitute FROM kernel.absence a
           JOIN kernel.membership m ON m.tenant_id = a.tenant_id AND m.user_id = a.substitute
          WHERE a.tenant_id = $1 AND m.deactivated_at IS NULL AND a.person = ANY ($2) AND $3::date BETWEEN a.first_day AND a.last_day`,
        [tenant.id, people, today()],
      )
      return rows.map(({ substitute }) => substitute)
    },
  }
}

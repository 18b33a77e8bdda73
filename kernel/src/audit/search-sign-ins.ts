// Of what happens to people outside any tenant (identity/identity-events.ts), each tenant is shown that of its own members.
import type pg from 'pg'
import {
  type AuditFilter,
  type AuditPage,
  type AuditRow,
  auditColumns,
  auditSource,
  pageOf,
  placeOf,
} from './search-audit.ts'
import { aboveTenants } from './write-audit.ts'

/** What its members did to get in, since they are members; newest first. */
export async function searchSignIns(
  pool: Pick<pg.Pool, 'query'>,
  tenant: string,
  { actor, action, from, to }: Pick<AuditFilter, 'actor' | 'action' | 'from' | 'to'>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<AuditPage> {
  const after = cursor === undefined ? undefined : placeOf(cursor)
  const { rows } = await pool.query<AuditRow>(
    `SELECT ${auditColumns}
       FROM kernel.membership m
       JOIN ${auditSource} ON a.tenant_id = '${aboveTenants}' AND a.module = 'identity' AND a.entity = 'person'
                          AND a.record_id = m.user_id AND a.at >= m.created_at
      WHERE m.tenant_id = $1 AND ($2::text IS NULL OR m.user_id = $2) AND ($3::text IS NULL OR a.action = $3)
        AND ($4::timestamptz IS NULL OR a.at >= $4) AND ($5::timestamptz IS NULL OR a.at < $5)
        AND ($6::bigint IS NULL OR (a.turn, a.id) < ($6, $7::bigint))
      ORDER BY a.turn DESC, a.id DESC LIMIT $8`,
    [
      tenant,
      actor ?? null,
      action ?? null,
      from ?? null,
      to ?? null,
      after?.turn ?? null,
      after?.id ?? null,
      limit + 1,
    ],
  )
  return pageOf(rows, limit)
}

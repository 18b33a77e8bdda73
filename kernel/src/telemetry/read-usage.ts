// What a tenant has used of each module, today and this month (UTC), as far as it has been written.
import type pg from 'pg'

export interface UsageRow {
  readonly module: string
  readonly name: string
  readonly today: number
  readonly month: number
}

interface Row {
  module: string
  name: string
  today: string
  month: string
}

export async function readUsage(pool: pg.Pool, tenant: string): Promise<UsageRow[]> {
  const { rows } = await pool.query<Row>(
    `SELECT module, name, sum(amount) AS month,
            coalesce(sum(amount) FILTER (WHERE day = (now() AT TIME ZONE 'UTC')::date), 0) AS today
       FROM kernel.usage
      WHERE tenant_id = $1 AND day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date
      GROUP BY module, name ORDER BY module, name`,
    [tenant],
  )
  return rows.map((row) => ({ ...row, today: Number(row.today), month: Number(row.month) }))
}

// How much there is to do, and since when: by queue for everybody who looks after the installation, and by tenant for
// whoever wants to know whose it is.
import type pg from 'pg'

export interface QueueFigures {
  readonly queue: string
  /** Waiting in all, those that wait for their time among them. */
  readonly waiting: number
  /** Their time has come. */
  readonly due: number
  readonly running: number
  /** Given up: somebody has to decide. */
  readonly dead: number
  /** Since when the oldest that is due waits, in seconds. */
  readonly oldestSeconds: number
}

export interface TenantFigures extends QueueFigures {
  readonly tenant: string
  readonly slug: string
}

interface OutboxFigures {
  /** Events that are committed and not handed on yet. */
  readonly waiting: number
  readonly oldestSeconds: number
}

interface Row {
  queue: string
  waiting: number
  due: number
  running: number
  dead: number
  oldest: number
}

/** Each part has a partial index: what is done costs nothing here, however much it is. */
const figures = `
  count(*) FILTER (WHERE t.state = 'waiting')::int AS waiting,
  count(*) FILTER (WHERE t.state = 'waiting' AND t.run_at <= now())::int AS due,
  count(*) FILTER (WHERE t.state = 'running')::int AS running,
  count(*) FILTER (WHERE t.state = 'dead')::int AS dead,
  coalesce(extract(epoch FROM now() - min(t.run_at) FILTER (WHERE t.state = 'waiting' AND t.run_at <= now())), 0)::float8 AS oldest`
const open = `
  (SELECT tenant_id, queue, state, run_at FROM kernel.task WHERE state = 'waiting' AND ready
   UNION ALL SELECT tenant_id, queue, state, run_at FROM kernel.task WHERE state = 'waiting' AND NOT ready
   UNION ALL SELECT tenant_id, queue, state, run_at FROM kernel.task WHERE state = 'running'
   UNION ALL SELECT tenant_id, queue, state, run_at FROM kernel.task WHERE state = 'dead') AS t`

const figuresOf = ({ oldest, ...row }: Row): QueueFigures => ({ ...row, oldestSeconds: Math.round(oldest) })

/** Queues with nothing to do and nothing given up are not among them. */
async function queueFigures(pool: Pick<pg.Pool, 'query'>): Promise<QueueFigures[]> {
  const { rows } = await pool.query<Row>(
    `SELECT t.queue, ${figures} FROM ${open} GROUP BY t.queue ORDER BY t.queue`,
  )
  return rows.map(figuresOf)
}

/** The tenants with most to do in a queue, or in all of them. */
export async function tenantFigures(
  pool: Pick<pg.Pool, 'query'>,
  { queue, limit }: { readonly queue?: string; readonly limit: number },
): Promise<TenantFigures[]> {
  const { rows } = await pool.query<Row & { tenant: string; slug: string }>(
    `SELECT t.tenant_id AS tenant, tenant.slug, t.queue, ${figures}
       FROM ${open} JOIN kernel.tenant tenant ON tenant.id = t.tenant_id
      WHERE $1::text IS NULL OR t.queue = $1
      GROUP BY t.tenant_id, tenant.slug, t.queue ORDER BY count(*) DESC, tenant.slug, t.queue LIMIT $2`,
    [queue ?? null, limit],
  )
  return rows.map(({ tenant, slug, ...row }) => ({ tenant, slug, ...figuresOf(row) }))
}

async function outboxFigures(pool: Pick<pg.Pool, 'query'>): Promise<OutboxFigures> {
  const { rows } = await pool.query<{ waiting: number; oldest: number }>(
    `SELECT count(*)::int AS waiting, coalesce(extract(epoch FROM now() - min(at)), 0)::float8 AS oldest
       FROM kernel.outbox WHERE dispatched_at IS NULL`,
  )
  const { waiting = 0, oldest = 0 } = rows[0] ?? {}
  return { waiting, oldestSeconds: Math.round(oldest) }
}

/** For metrics: both in one. */
export async function queueSnapshot(pool: Pick<pg.Pool, 'query'>) {
  const [queues, outbox] = await Promise.all([queueFigures(pool), outboxFigures(pool)])
  return { queues, outbox }
}

// How a version on trial does: its answers are counted in every kernel process and added up in the database, where the
// operation that tries it judges them.
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Logger } from 'pino'
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { CanaryOptions } from './operation.ts'

const flushMs = 500
const usualErrorRate = 0.05
const usualMinRequests = 20

export interface CanaryVerdict {
  readonly requests: number
  readonly failures: number
  readonly errorRate: number
  /** Enough answers to say that it fails. */
  readonly failed: boolean
  /** It fails in what there was, however little. */
  readonly wouldFail: boolean
}

export async function canaryVerdict(
  pool: pg.Pool,
  operation: string,
  options: CanaryOptions,
): Promise<CanaryVerdict> {
  const { rows } = await pool.query<{ requests: string; failures: string }>(
    `SELECT coalesce(sum(requests), 0) AS requests, coalesce(sum(failures), 0) AS failures
       FROM kernel.canary_count WHERE operation = $1`,
    [operation],
  )
  const requests = Number(rows[0]?.requests ?? 0)
  const failures = Number(rows[0]?.failures ?? 0)
  const { errorRate = usualErrorRate, minRequests = usualMinRequests } = options
  const wouldFail = requests > 0 && failures / requests > errorRate
  return { requests, failures, errorRate, wouldFail, failed: wouldFail && requests >= minRequests }
}

/** @throws VALIDATION by the field: nobody is to try it, or a tenant that there is not */
export async function refuseCanaryOfNobody(
  { pool }: { readonly pool: pg.Pool },
  canary: CanaryOptions | undefined,
): Promise<void> {
  if (!canary) return
  const { percent = 0, tenants = [] } = canary
  if (percent === 0 && tenants.length === 0)
    throw errors.validation({
      errors: [
        { field: 'canary.percent', code: 'REQUIRED', message: 'or canary.tenants must say who tries it.' },
      ],
    })
  const { rows } = await pool.query<{ position: number; asked: string }>(
    `SELECT position::int - 1 AS position, asked FROM unnest($1::text[]) WITH ORDINALITY AS u (asked, position)
      WHERE NOT EXISTS (SELECT FROM kernel.tenant WHERE slug = asked OR id::text = asked) ORDER BY position`,
    [tenants],
  )
  if (rows.length === 0) return
  throw errors.validation({
    errors: rows.map(({ position, asked }) => ({
      field: `canary.tenants.${position}`,
      code: 'INVALID',
      message: `there is no tenant '${asked}'.`,
    })),
  })
}

export interface CanaryCounter {
  /** An answer of the module, with its status. */
  count(plugin: LoadedPlugin, status: number): void
  close(): Promise<void>
}

export function countCanaries(parts: {
  readonly pool: pg.Pool
  readonly registry: Pick<PluginRegistry, 'served'>
  readonly log: Logger
}): CanaryCounter {
  const { pool, log } = parts
  const process = randomUUID()
  const counts = new Map<string, { requests: number; failures: number }>()

  async function flush(): Promise<void> {
    const due = [...counts]
    counts.clear()
    for (const [module, { requests, failures }] of due) {
      await pool.query(
        `INSERT INTO kernel.canary_count (operation, process, requests, failures)
         SELECT id, $2, $3, $4 FROM kernel.plugin_operation WHERE module = $1 AND kind = 'upgrade' AND state = 'running'
         ON CONFLICT (operation, process) DO UPDATE
            SET requests = canary_count.requests + excluded.requests, failures = canary_count.failures + excluded.failures`,
        [module, process, requests, failures],
      )
    }
  }

  const timer = setInterval(() => {
    if (counts.size > 0)
      flush().catch((error: unknown) => log.warn({ err: error }, 'a canary was not counted'))
  }, flushMs)
  timer.unref()

  return {
    count(plugin, status) {
      const module = plugin.manifest.name
      if (parts.registry.served(module)?.row.candidate !== plugin.version) return
      const known = counts.get(module) ?? { requests: 0, failures: 0 }
      known.requests += 1
      if (status >= 500) known.failures += 1
      counts.set(module, known)
    },
    async close() {
      clearInterval(timer)
      await flush().catch(() => undefined)
    },
  }
}

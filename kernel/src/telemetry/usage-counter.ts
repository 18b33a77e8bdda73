// What each tenant has used of each module, by day (UTC). Counted in memory, added to kernel.usage every minute and at
// the end, so that all kernel processes on a database add up. A process that is killed loses its last minute.
import type pg from 'pg'
import type { Logger } from 'pino'

const flushEveryMs = 60_000
/** Counts kept between two flushes, about 200 bytes each. The last free place starts a flush. */
const mostCounts = 50_000
const rowsAtOnce = 5_000
const keptDays = 400

export interface UsageCounter {
  add(tenant: string, module: string, name: string, amount: number): void
  /** Writes what has been counted. What cannot be written is kept for the next time. */
  flush(): Promise<void>
  close(): Promise<void>
}

interface Count {
  readonly tenant: string
  readonly module: string
  readonly day: string
  readonly name: string
  amount: number
}

// A tenant that has been deleted meanwhile has no use.
const addRows = `
  INSERT INTO kernel.usage AS u (tenant_id, module, day, name, amount)
  SELECT c.tenant, c.module, c.day, c.name, c.amount
    FROM jsonb_to_recordset($1) AS c(tenant uuid, module text, day date, name text, amount numeric)
    JOIN kernel.tenant t ON t.id = c.tenant
   ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, module, day, name) DO UPDATE SET amount = u.amount + excluded.amount`

const dayMs = 24 * 60 * 60_000

/** The day, made anew only when another one has begun: it is asked for ten times in a request. */
function calendar(): () => string {
  let since = Number.POSITIVE_INFINITY
  let day = ''
  return () => {
    const now = Date.now()
    if (now < since || now >= since + dayMs) {
      since = now - (now % dayMs)
      day = new Date(now).toISOString().slice(0, 10)
    }
    return day
  }
}

export function createUsageCounter(pool: pg.Pool, log: Logger): UsageCounter {
  let counts = new Map<string, Count>()
  let flushing: Promise<void> | undefined
  let lost = 0
  let cleanedOn = ''
  const today = calendar()

  function keep(count: Count): void {
    const key = `${count.tenant} ${count.module} ${count.day} ${count.name}`
    const known = counts.get(key)
    if (known) known.amount += count.amount
    else if (counts.size < mostCounts) counts.set(key, count)
    else lost += 1
  }

  async function write(): Promise<void> {
    // Two processes add to the same rows: in one order, so that neither waits for the other's.
    const waiting = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count)
    counts = new Map()
    try {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, rowsAtOnce)
        const whole = batch.map((count) => ({ ...count, amount: Math.ceil(count.amount) }))
        await pool.query(addRows, [JSON.stringify(whole)])
        waiting.splice(0, batch.length)
      }
      await forgetOld()
    } catch (error) {
      log.warn({ err: error }, 'usage was not written; it is kept for the next time')
      waiting.forEach(keep)
    }
    if (lost > 0) log.warn({ lost }, 'too much usage at once: some was not counted')
    lost = 0
  }

  async function forgetOld(): Promise<void> {
    if (cleanedOn === today()) return
    await pool.query('DELETE FROM kernel.usage WHERE day < current_date - $1::int', [keptDays])
    cleanedOn = today()
  }

  /** One at a time; what came while one was under way is written by the next. */
  async function flush(): Promise<void> {
    await flushing
    if (counts.size === 0) return
    flushing ??= write().finally(() => {
      flushing = undefined
    })
    await flushing
  }

  const timer = setInterval(() => void flush(), flushEveryMs)
  timer.unref()

  return {
    add(tenant, module, name, amount) {
      keep({ tenant, module, day: today(), name, amount })
      if (counts.size >= mostCounts && !flushing) void flush()
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

// What must be so after every attack on a kernel: it answers, others have what they had and were told nothing of, the
// plugin's host is back, and nothing is left in the database or among the processes.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Test } from 'tap'
import { canary, type Place } from './break-in.ts'
import type { Reply, Send } from './kernel.ts'

/**
 * Transactions that nobody ends, advisory locks and temporary tables: one line for each. What goes within seconds is the
 * kernel's own work, as the locks of what seals the audit trail.
 */
export async function tracesIn(admin: pg.Client, patience = 20): Promise<string[]> {
  const traces = await tracesNow(admin)
  if (traces.length === 0 || patience === 0) return traces
  await sleep(150)
  return tracesIn(admin, patience - 1)
}

async function tracesNow(admin: pg.Client): Promise<string[]> {
  const { rows } = await admin.query<{ trace: string }>(
    `select 'transaction: ' || left(query, 80) as trace from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%' and now() - state_change > interval '1 s'
     union all
     select 'advisory lock' from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = current_database() and l.locktype = 'advisory'
     union all
     select 'temporary: ' || relname from pg_class where relpersistence = 't'`,
  )
  return rows.map(({ trace }) => trace)
}

/** Children of this process that have ended and were not waited for. */
export const zombies = (): string[] => {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const [, state = '', parent = ''] =
        /\) (\w) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      return state === 'Z' && parent === String(process.pid) ? [pid] : []
    } catch {
      return []
    }
  })
}

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

async function answersWell(t: Test, send: Send, module: string, attack: string): Promise<void> {
  const { status, body } = await send('POST', `/v1/${module}/well`)
  t.same({ status, body }, { status: 200, body: 'well' }, `${attack}: the host of ${module} answers`)
}

/** `before` is how many lines the log had. */
export async function lookAfter(
  t: Test,
  place: Place,
  {
    attack,
    reply,
    before,
    echoes = false,
  }: { attack: string; reply?: Reply; before: number; echoes?: boolean },
): Promise<void> {
  const { kernel, victim, bystander, enemy, lines, theirs } = place
  const secret = await victim.owner('GET', `/v1/vault/secrets/${theirs}`)
  t.match(
    secret,
    { status: 200, body: { code: canary, version: 1, number: 'S-0001', stage: 'shut' } },
    attack,
  )
  const { body } = await victim.owner('GET', '/v1/vault/secrets')
  t.match(body['items'], { length: 2 }, `${attack}: no more and no fewer`)
  const note = await victim.owner('GET', `/v1/burglar/notes/${place.theirNote}`)
  t.match(note, { status: 200, body: { text: canary, version: 1 } }, attack)
  t.match(
    await bystander.owner('GET', '/v1/quiet/things'),
    { body: { items: [{ code: canary, version: 1 }] } },
    attack,
  )
  await answersWell(t, victim.owner, 'vault', attack)
  await answersWell(t, bystander.owner, 'quiet', attack)
  await answersWell(t, enemy.owner, 'burglar', attack)
  t.same(await tracesIn(kernel.database.admin), [], `${attack}: nothing is left in the database`)
  t.same(zombies(), [], `${attack}: no process is left`)
  const since = lines.slice(before)
  if (reply && !echoes) {
    t.notMatch(told(reply), canary, `${attack}: the answer tells nothing`)
    t.notMatch(JSON.stringify(since), canary, `${attack}: nor does the log`)
  }
  if (reply && reply.status >= 500) {
    const named = since.some(({ tenant, module }) => tenant === enemy.slug && typeof module === 'string')
    t.ok(named, `${attack}: the log names the module and the tenant`)
  }
}

// One turn of a lane: its next tasks, some at once, those of one subject one after the other, for about a second. Then
// whoever else waits in the queue is next.
import type { Claims } from './claim-tasks.ts'
import type { Leases } from './leases.ts'
import type { Lane, Task } from './task.ts'

/** At once, of one lane in one process. */
const atOnce = 4
/** Events are short; a job may be long, and nobody is to wait for one that another process could begin. */
const claimedEvents = 16
const mostTasks = 64
const turnMs = 1_000

export interface TurnParts {
  readonly claims: Claims
  readonly leases: Pick<Leases, 'holding'>
  /** Does it, whatever comes of it. False: those behind it of its subject are to wait. */
  readonly attempt: (task: Task) => Promise<boolean>
  readonly isStopping: () => boolean
}

/** `more`: the lane may have more that is due. */
export async function runTurn(parts: TurnParts, lane: Lane): Promise<'more' | 'empty'> {
  const { claims, leases, isStopping } = parts
  const most = lane.queue.startsWith('events.') ? claimedEvents : atOnce
  const until = performance.now() + turnMs
  let done = 0
  do {
    if (isStopping()) return 'more'
    const tasks = await claims.claim(lane, most)
    if (tasks.length === 0) return 'empty'
    await leases.holding(tasks, () => runAll(parts, tasks, until))
    done += tasks.length
  } while (done < mostTasks && performance.now() < until)
  return 'more'
}

async function runAll(
  { claims, attempt, isStopping }: TurnParts,
  tasks: readonly Task[],
  until: number,
): Promise<void> {
  const chains = [...Map.groupBy(tasks, ({ subject, id }) => subject ?? id).values()]
  const isSuspect = (chain: readonly Task[]) => (chain[0]?.attempt ?? 1) > 1
  const fresh = chains.filter((chain) => !isSuspect(chain))
  const left: Task[] = []
  // The first of all is done whatever the time.
  const [first] = tasks
  const isOver = (task: Task) => isStopping() || (performance.now() > until && task !== first)

  async function runChain(chain: readonly Task[]): Promise<void> {
    for (const [at, task] of chain.entries()) {
      if (isOver(task)) return void left.push(...chain.slice(at))
      if (!(await attempt(task))) return void left.push(...chain.slice(at + 1))
    }
  }

  async function runChains(): Promise<void> {
    for (let chain = fresh.shift(); chain; chain = fresh.shift()) await runChain(chain)
  }

  await Promise.all(Array.from({ length: Math.min(atOnce, fresh.length) }, runChains))
  // What has failed before may take with it what runs beside it: one that ends its host is alone when it does so again.
  for (const chain of chains.filter(isSuspect)) await runChain(chain)
  await claims.giveBack(left)
}

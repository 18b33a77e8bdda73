// A turn of a tenant's jobs in a module begins one of them, and ends: a job may take minutes, and the others of the queue
// are not to wait for it. How many this process does at once, of all tenants and modules, is bounded by its places.
import type { Logger } from 'pino'
import type { ClaimJob } from './claim-jobs.ts'
import type { Leases } from './leases.ts'
import type { Lane, Task } from './task.ts'

/** So long a lane that has more of them keeps its place: short jobs need not wait for a turn each. */
const keptMs = 1_000

export interface JobTurnParts {
  readonly claim: ClaimJob
  readonly leases: Pick<Leases, 'holding'>
  readonly attempt: (task: Task) => Promise<boolean>
  readonly addTurns: (lanes: readonly Lane[]) => Promise<void>
  readonly isStopping: () => boolean
  /** Jobs at once in this process. */
  readonly places: number
  readonly log: Logger
}

export interface JobTurns {
  run(lane: Lane): Promise<'more' | 'empty'>
  /** Resolves when none is under way. */
  ended(): Promise<void>
}

export function createJobTurns(parts: JobTurnParts): JobTurns {
  const { claim, leases, attempt, addTurns, isStopping, log } = parts
  const waiting: (() => void)[] = []
  const underWay = new Set<Promise<void>>()
  let free = parts.places

  async function takePlace(): Promise<void> {
    if (free > 0) free -= 1
    else await new Promise<void>((enter) => waiting.push(enter))
  }

  function leavePlace(): void {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }

  async function workOff(lane: Lane, first: Task): Promise<void> {
    const until = performance.now() + keptMs
    try {
      for (let task: Task | undefined = first; task; ) {
        const one: Task = task
        await leases.holding([one], () => attempt(one))
        task = performance.now() < until && !isStopping() ? await claim(lane) : undefined
      }
      if (!isStopping()) await addTurns([lane])
    } catch (error) {
      // The sweeper finds what is left.
      log.warn({ err: error, queue: lane.queue }, 'a turn of jobs could not be gone on with')
    } finally {
      leavePlace()
    }
  }

  return {
    async run(lane) {
      await takePlace()
      const task = isStopping() ? undefined : await claim(lane).catch(failed)
      if (!task) {
        leavePlace()
        return 'empty'
      }
      const work = workOff(lane, task)
      underWay.add(work)
      void work.finally(() => underWay.delete(work))
      return 'more'
    },
    async ended() {
      await Promise.all(underWay)
    },
  }

  function failed(error: unknown): never {
    leavePlace()
    throw error
  }
}

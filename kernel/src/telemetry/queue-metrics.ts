// What the queues tell an operator's Prometheus. Their figures are the database's and the same in every process: they are
// asked for at most once in a while, however often somebody reads them.
import { Counter, Gauge, type Registry } from 'prom-client'

export interface QueueSnapshot {
  readonly queues: readonly {
    readonly queue: string
    readonly waiting: number
    readonly due: number
    readonly running: number
    readonly dead: number
    readonly oldestSeconds: number
  }[]
  readonly outbox: { readonly waiting: number; readonly oldestSeconds: number }
}

export interface TaskWatcher {
  /** An attempt has ended: `done`, or `failed` to a webhook; `retried` after a failure, `dead` after the last; `postponed`, `skipped`, `cancelled`. */
  task(kind: string, module: string, outcome: string, seconds: number): void
}

const keptMs = 5_000

export function queueMetrics(registers: Registry[], read: () => Promise<QueueSnapshot>): TaskWatcher {
  let kept: { at: number; snapshot: Promise<QueueSnapshot | undefined> } | undefined
  const snapshot = (): Promise<QueueSnapshot | undefined> => {
    if (!kept || Date.now() - kept.at > keptMs)
      // Other figures are told also while the database is away.
      kept = { at: Date.now(), snapshot: read().catch(() => undefined) }
    return kept.snapshot
  }
  new Gauge({
    name: 'plinth_queue_tasks',
    help: 'Tasks by queue and state: waiting (due among them), running, dead.',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      this.reset()
      for (const { queue, waiting, due, running, dead } of (await snapshot())?.queues ?? [])
        for (const [state, count] of Object.entries({ waiting, due, running, dead }))
          this.set({ queue, state }, count)
    },
  })
  new Gauge({
    name: 'plinth_queue_oldest_seconds',
    help: 'Since when the oldest task that is due waits.',
    labelNames: ['queue'],
    registers,
    async collect() {
      this.reset()
      for (const { queue, oldestSeconds } of (await snapshot())?.queues ?? [])
        this.set({ queue }, oldestSeconds)
    },
  })
  new Gauge({
    name: 'plinth_outbox_events',
    help: 'Events that are committed and not handed on yet.',
    registers,
    async collect() {
      this.set((await snapshot())?.outbox.waiting ?? 0)
    },
  })
  new Gauge({
    name: 'plinth_outbox_oldest_seconds',
    help: 'Since when the oldest of them waits.',
    registers,
    async collect() {
      this.set((await snapshot())?.outbox.oldestSeconds ?? 0)
    },
  })
  const counted = new Counter({
    name: 'plinth_task_runs_total',
    help: 'Attempts that ended in this process, by kind (event, job, webhook), module and outcome.',
    labelNames: ['kind', 'module', 'outcome'],
    registers,
  })
  const seconds = new Counter({
    name: 'plinth_task_run_seconds_total',
    help: 'How long they took.',
    labelNames: ['kind', 'module'],
    registers,
  })
  return {
    task(kind, module, outcome, took) {
      counted.inc({ kind, module, outcome })
      seconds.inc({ kind, module }, took)
    },
  }
}

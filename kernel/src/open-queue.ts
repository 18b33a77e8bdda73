// The work queue, put together beside kernel.ts: what is dispatched, who takes turns at it, and what each kind of task does.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { ChangeFeed } from './data/change-feed.ts'
import { openControlPool } from './data/control-pool.ts'
import type { LimitDirectory } from './entitlements/limit-directory.ts'
import { keptSubscriptions } from './entitlements/subscriptions.ts'
import type { WithWork } from './http/module-parts.ts'
import type { Hooks } from './open-hooks.ts'
import type { Closers } from './open-parts.ts'
import { createClaims } from './queue/claim-tasks.ts'
import { startDispatcher } from './queue/dispatch.ts'
import { createEndings } from './queue/end-task.ts'
import { startLeases } from './queue/leases.ts'
import { createModuleWorkers, type ModuleWorkers } from './queue/module-workers.ts'
import { type Jobs, openJobs } from './queue/open-jobs.ts'
import { startPurge } from './queue/purge-queue.ts'
import { eventRunner } from './queue/run-event.ts'
import { attempter, type TaskRunners } from './queue/run-task.ts'
import { runTurn } from './queue/run-turn.ts'
import { startSweeper } from './queue/sweep.ts'
import { type Lane, moduleOfQueue, type Task } from './queue/task.ts'
import { taskStages } from './queue/task-stage.ts'
import { postgresTurns, redisTurns } from './queue/turn-backends.ts'
import { createTurnStore } from './queue/turn-store.ts'
import type { PluginRegistry } from './registry/plugin-registry.ts'
import type { TaskWatcher } from './telemetry/queue-metrics.ts'
import type { TenantDirectory } from './tenants/tenant-directory.ts'

export interface Queue extends Pick<ModuleWorkers, 'withDoors'> {
  /** Events were committed. */
  readonly wake: () => void
  /** Tasks of these lanes were committed. */
  readonly tasksAdded: (lanes: readonly Lane[]) => void
}

const poolSize = 6
/** Endpoints that one process tells at once, of all tenants. */
const webhooksAtOnce = 16
/** Of tasks under way when the kernel ends; those that are not done by then are another's when their lease is over. */
const closeMs = 6_000

export function openQueue(parts: {
  readonly config: Config
  readonly connection: pg.ClientConfig
  readonly secret: string
  readonly feed: ChangeFeed
  readonly registry: PluginRegistry
  readonly directory: TenantDirectory
  readonly withWork: WithWork
  readonly limits: LimitDirectory
  readonly webhooks: Pick<Hooks, 'deliver' | 'attempts'>
  readonly watcher: TaskWatcher
  readonly closers: Closers
  readonly log: Logger
}): Queue {
  const { config, connection, feed, registry, directory, withWork, webhooks, closers, log } = parts
  const pool = openControlPool({ ...connection, application_name: 'plinth-tasks' }, poolSize, log)
  closers.add('connections of the queue', () => pool.end())
  const installation = createHmac('sha256', parts.secret).update('queue').digest('hex').slice(0, 12)
  const store = createTurnStore(
    config.redisUrl === undefined
      ? postgresTurns(connection, log)
      : redisTurns(config.redisUrl, installation, log),
    log,
  )
  const worker = randomUUID()
  const times = { firstMs: config.retryFirstMs, longestMs: config.retryLongestMs }
  let stopping = false
  const lease = config.taskLeaseMs
  const leases = startLeases(pool, worker, lease, log)
  closers.add('leases', () => leases.close())
  const claims = createClaims(pool, worker, lease)
  const isStopping = () => stopping
  const workers = createModuleWorkers(store, (queue) =>
    store.work(queue, config.workAtOnce, (turn) => {
      const module = moduleOfQueue(queue)
      if (module !== undefined && !workers.works(module)) return Promise.resolve('empty')
      const lane = { queue, ...turn }
      if (queue.startsWith('jobs.')) return jobs.turns.run(lane)
      return runTurn({ claims, leases, attempt, isStopping }, lane)
    }),
  )
  const { enter } = workers
  const { addTurns } = store
  const stageOf = taskStages({ registry, directory })
  const jobs: Jobs = openJobs({
    pool,
    registry,
    directory,
    limits: parts.limits,
    feed,
    stageOf,
    withWork,
    enter,
    worker,
    lease,
    leases,
    addTurns,
    isStopping,
    log,
    attempt: (task) => attempt(task),
    places: config.jobsAtOnce,
  })
  const runners: TaskRunners = {
    event: eventRunner({ stageOf, withWork, enter }),
    job: jobs.run,
    webhook: ({ tenant, id, attempt }) => webhooks.deliver({ tenantId: tenant, id: String(id), attempt }),
  }
  const attempt: (task: Task) => Promise<boolean> = attempter({
    runners,
    endings: createEndings(pool, times),
    watcher: parts.watcher,
    log,
  })
  const { eventAttempts } = config
  const webhookAttempts = webhooks.attempts
  const subscriptions = keptSubscriptions(feed)
  const dispatcher = startDispatcher({ pool, subscriptions, addTurns, eventAttempts, webhookAttempts, log })
  const sweeper = startSweeper({ pool, addTurns, times, log })
  store.work('webhooks', webhooksAtOnce, (turn) =>
    runTurn({ claims, leases, attempt, isStopping }, { queue: 'webhooks', ...turn }),
  )
  const purge = startPurge(pool, { eventDays: config.eventDays, taskDays: config.taskDays }, log)
  closers.add('queue', async () => {
    stopping = true
    const deadline = sleep(closeMs, undefined, { ref: false })
    const others = [dispatcher, sweeper, purge, jobs.schedules].map((one) => one.close())
    await Promise.all([
      store.close(closeMs),
      Promise.race([Promise.all([...others, jobs.turns.ended()]), deadline]),
    ])
  })
  const onItsOwn = AsyncLocalStorage.snapshot()
  return {
    wake: dispatcher.wake,
    tasksAdded(lanes) {
      onItsOwn(addTurns, lanes).catch((error: unknown) =>
        log.warn({ err: error }, 'turns could not be added; the sweeper does it'),
      )
    },
    withDoors: (open) => {
      const opened = workers.withDoors(open)
      return async (...modules) => {
        const doors = await opened(...modules)
        jobs.schedules.changed()
        return doors
      }
    },
  }
}

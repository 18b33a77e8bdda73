// The work queue, put together beside kernel.ts: what is dispatched, who takes turns at it, and what each kind of task does.
import { createHmac, randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { ChangeFeed } from './data/change-feed.ts'
import { openControlPool } from './data/control-pool.ts'
import type { WithWork } from './http/module-parts.ts'
import type { Closers } from './open-parts.ts'
import { createClaims } from './queue/claim-tasks.ts'
import { startDispatcher } from './queue/dispatch.ts'
import { createEndings } from './queue/end-task.ts'
import { startLeases } from './queue/leases.ts'
import { createModuleWorkers, type ModuleWorkers } from './queue/module-workers.ts'
import { startPurge } from './queue/purge-queue.ts'
import { eventRunner } from './queue/run-event.ts'
import { attempter, type TaskRunners } from './queue/run-task.ts'
import { runTurn } from './queue/run-turn.ts'
import { keptSubscriptions } from './queue/subscriptions.ts'
import { startSweeper } from './queue/sweep.ts'
import { moduleOfQueue } from './queue/task.ts'
import { postgresTurns, redisTurns } from './queue/turn-backends.ts'
import { createTurnStore } from './queue/turn-store.ts'
import type { PluginRegistry } from './registry/plugin-registry.ts'
import type { TenantDirectory } from './tenants/tenant-directory.ts'

export interface Queue extends Pick<ModuleWorkers, 'withDoors'> {
  /** Events were committed. */
  readonly wake: () => void
}

const poolSize = 6
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
  readonly closers: Closers
  readonly log: Logger
}): Queue {
  const { config, connection, feed, registry, directory, withWork, closers, log } = parts
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
  const leases = startLeases(pool, worker, log)
  closers.add('leases', () => leases.close())
  const claims = createClaims(pool, worker)
  const workers = createModuleWorkers(store, (queue) =>
    store.work(queue, config.workAtOnce, (turn) => {
      const module = moduleOfQueue(queue)
      if (module !== undefined && !workers.works(module)) return Promise.resolve('empty')
      return runTurn({ claims, leases, attempt, isStopping: () => stopping }, { queue, ...turn })
    }),
  )
  const runners: TaskRunners = {
    event: eventRunner({ registry, directory, withWork, enter: workers.enter }),
  }
  const attempt = attempter({ runners, endings: createEndings(pool, times), log })

  const addTurns = store.addTurns
  const { eventAttempts } = config
  const subscriptions = keptSubscriptions(feed)
  const dispatcher = startDispatcher({ pool, subscriptions, addTurns, eventAttempts, log })
  const sweeper = startSweeper({ pool, addTurns, times, log })
  const purge = startPurge(pool, { eventDays: config.eventDays, taskDays: config.taskDays }, log)
  closers.add('queue', async () => {
    stopping = true
    await Promise.all([dispatcher.close(), sweeper.close(), purge.close()])
    const deadline = new Promise((resolve) => setTimeout(resolve, closeMs).unref())
    await Promise.race([store.close(), deadline])
  })
  return { wake: dispatcher.wake, withDoors: workers.withDoors }
}

// Turns, carried by BullMQ: who may do some of a lane's tasks next. A turn says whose lane it is and nothing of the work,
// which stands in kernel.task: a turn that is lost, doubled or late costs time and nothing else.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BackendFactory, type IQueueBackend, Queue, Worker } from 'bullmq'
import type { Logger } from 'pino'
import type { Lane } from './task.ts'
import { pausingBackend, startTurnWorker, type TurnWorker } from './turn-worker.ts'

/** One turn in its queue. */
export type Turn = Pick<Lane, 'tenant' | 'lane'>

export interface TurnStore {
  /** Each lane gets a turn behind all others of its queue, unless it waits for one. */
  addTurns(lanes: readonly Lane[]): Promise<void>
  /** Runs the queue's turns, so many at once. After `more` the lane gets another turn. Called again, it changes nothing. */
  work(queue: string, concurrency: number, run: (turn: Turn) => Promise<'more' | 'empty'>): void
  /** Takes no more turns of the queue; resolves when those under way have ended. */
  stop(queue: string): Promise<void>
  /** Stops every queue, and ends the connections, after so long also of what is still under way. */
  close(withinMs: number): Promise<void>
}

/** Where BullMQ keeps them. */
export interface TurnBackend {
  readonly name: 'postgresql' | 'redis'
  readonly factory: BackendFactory<IQueueBackend, never>
  /** What the factory connects with: for adding, and for a worker. */
  connection(of: 'queue' | 'worker'): unknown
  readonly prefix?: string
  /** So many queues are worked at from now on. */
  working(queues: number): void
  /** Ends within a moment, whether the store answers or not. */
  close(): Promise<void>
}

/**
 * A turn whose process died is another's after so long. Shorter than a task may take, and renewed while it does: two turns
 * of one lane at once cost a claim that finds nothing.
 */
const lockMs = 5_000
const retryMs = 1_000

const usual = {
  removeOnComplete: true,
  removeOnFail: true,
} as const

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const longestLane = 200

const isTurn = (data: unknown): data is Turn =>
  typeof data === 'object' &&
  data !== null &&
  'tenant' in data &&
  'lane' in data &&
  typeof data.tenant === 'string' &&
  uuid.test(data.tenant) &&
  typeof data.lane === 'string' &&
  data.lane.length <= longestLane &&
  !data.lane.includes('\0')

export function createTurnStore(backend: TurnBackend, log: Logger): TurnStore {
  const queues = new Map<string, Queue>()
  const workers = new Map<string, TurnWorker>()
  let closed = false

  const warn = (queue: string) => (error: unknown) => {
    if (!closed)
      log.warn({ err: error, queue, store: backend.name }, 'the queue store failed; it is tried again')
  }

  const options = (of: 'queue' | 'worker') => ({
    connection: backend.connection(of) as never,
    ...(backend.prefix === undefined ? {} : { prefix: backend.prefix }),
  })

  function queueOf(name: string): Queue {
    const known = queues.get(name)
    if (known) return known
    const queue = new Queue(name, { ...options('queue'), defaultJobOptions: usual }, backend.factory as never)
    queue.on('error', warn(name))
    queues.set(name, queue as Queue)
    return queue as Queue
  }

  async function readyQueue(name: string): Promise<Queue> {
    const queue = queueOf(name)
    try {
      await queue.waitUntilReady()
    } catch (error) {
      // It remembers for good that its store was away; the next who asks gets another.
      if (queues.get(name) === queue) queues.delete(name)
      await queue.close().catch(warn(name))
      throw error
    }
    return queue
  }

  async function addTurns(lanes: readonly Lane[]): Promise<void> {
    if (closed) return
    const byQueue = Map.groupBy(lanes, ({ queue }) => queue)
    await Promise.all(
      [...byQueue].map(async ([name, some]) => {
        const queue = await readyQueue(name)
        await queue.addBulk(
          some.map(({ tenant, lane }) => ({
            name: 'turn',
            data: { tenant, lane },
            opts: {
              // Without an id of ours the store would make a sequence for each queue, which the kernel login may not.
              jobId: randomUUID(),
              // A lane that is having its turn gets the next one after it.
              deduplication: { id: `${tenant} ${lane}`, keepLastIfActive: true },
            },
          })),
        )
      }),
    )
  }

  function makeWorker(
    name: string,
    concurrency: number,
    run: (turn: Turn) => Promise<'more' | 'empty'>,
  ): Worker {
    const worker = new Worker<Turn>(
      name,
      async ({ data }) => {
        // Whoever can write to the store can write anything: a turn names a lane, and nothing else of it is used.
        if (!isTurn(data)) return
        if ((await run({ tenant: data.tenant, lane: data.lane })) === 'more')
          await addTurns([{ queue: name, tenant: data.tenant, lane: data.lane }])
      },
      {
        ...options('worker'),
        autorun: false,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: lockMs,
        // BullMQ's own is a quarter of a minute, in which a store that is back already is not asked.
        runRetryDelay: retryMs,
        // A turn that failed or was left has done no harm, and is as good as a new one.
        maxStalledCount: 1_000_000,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
      pausingBackend(backend.factory) as never,
    )
    worker.on('error', warn(name))
    worker.on('failed', (_job, error) => warn(name)(error))
    return worker as Worker
  }

  async function ended(): Promise<void> {
    await Promise.all([...workers.values()].map((worker) => worker.close()))
    await Promise.all([...queues.values()].map((queue) => queue.close()))
  }

  return {
    addTurns,
    work(name, concurrency, run) {
      if (closed || workers.has(name)) return
      backend.working(workers.size + 1)
      workers.set(
        name,
        startTurnWorker(() => makeWorker(name, concurrency, run), warn(name)),
      )
    },
    async stop(name) {
      const worker = workers.get(name)
      workers.delete(name)
      await worker?.close().catch(warn(name))
      backend.working(workers.size)
    },
    async close(withinMs) {
      closed = true
      // A store that is away answers nobody who says good-bye to it.
      await Promise.race([ended().catch(warn('')), sleep(withinMs, undefined, { ref: false })])
      await backend.close()
    },
  }
}

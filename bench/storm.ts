// The storm of fairness.ts, on a thread of its own: what it reads must not delay what is measured beside it.
import { parentPort, workerData } from 'node:worker_threads'
import { Pool } from 'undici'

export interface StormOrder {
  readonly url: string
  readonly paths: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly callers: number
}

const { url, paths, headers, callers } = workerData as StormOrder
const pool = new Pool(url, { connections: callers, pipelining: 1 })
let isOver = false
let answered = 0
parentPort?.once('message', () => {
  isOver = true
})
await Promise.all(
  Array.from({ length: callers }, async (_, caller) => {
    for (let turn = caller; !isOver; turn += 1) {
      const path = paths[turn % paths.length] ?? '/'
      const { body } = await pool.request({ path, method: 'GET', headers: { ...headers } })
      await body.dump({ limit: Number.MAX_SAFE_INTEGER })
      answered += 1
    }
  }),
)
await pool.close()
parentPort?.postMessage(answered)

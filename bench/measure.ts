// One measurement: as many callers as `callers` ask one address again and again for a while; how long each answer
// took, and the CPU time that a set of processes spent on them.
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'

/** Linux counts in hundredths of a second. */
const tickMs = 10

export interface Measurement {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** CPU time of the watched processes for one request, in µs. */
  readonly cpuMicros: number
}

export interface Load {
  readonly url: string
  readonly path: () => string
  readonly method?: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: () => string
  readonly callers: number
  readonly seconds: number
}

function cpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // utime and stime of proc_pid_stat(5); the name before them may hold spaces, so count from the last bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + (Number(fields[11]) + Number(fields[12])) * tickMs
  }, 0)
}

export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

/** Throws at the first answer that is not a success: a fast refusal is no result. */
export async function measure(load: Load, pids: readonly number[]): Promise<Measurement> {
  const pool = new Pool(load.url, { connections: load.callers, pipelining: 1 })
  const times: number[] = []
  const end = performance.now() + load.seconds * 1000

  async function call(): Promise<void> {
    while (performance.now() < end) {
      const started = performance.now()
      const { statusCode, body } = await pool.request({
        path: load.path(),
        method: load.method ?? 'GET',
        headers: { ...load.headers },
        body: load.body ? load.body() : null,
      })
      const text = await body.text()
      if (statusCode >= 300) throw new Error(`${load.url} answered ${statusCode}: ${text.slice(0, 300)}`)
      times.push(performance.now() - started)
    }
  }

  const before = cpuMs(pids)
  const started = performance.now()
  await Promise.all(Array.from({ length: load.callers }, call))
  const seconds = (performance.now() - started) / 1000
  const spent = cpuMs(pids) - before
  await pool.close()
  times.sort((a, b) => a - b)
  return {
    perSecond: times.length / seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    cpuMicros: (spent * 1000) / times.length,
  }
}

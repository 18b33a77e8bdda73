// What a capability call cannot cost less than, whatever our code does: one entry into an isolate that says something back,
// and one round trip of 100 bytes over the pipes of a child process. CPU of all threads concerned.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import ivm from 'isolated-vm'

const times = 2_000

/** µs, of all threads. */
function cpuMicros(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const runs = threads.map((id) => readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0])
  return runs.reduce((sum, ns) => sum + Number(ns) / 1_000, 0)
}

async function measure(pids: readonly number[], once: () => Promise<unknown>): Promise<number> {
  for (let n = 0; n < 300; n += 1) await once()
  const spent = () => pids.reduce((sum, pid) => sum + cpuMicros(pid), 0)
  const before = spent()
  for (let n = 0; n < times; n += 1) await once()
  return (spent() - before) / times
}

async function entry(): Promise<number> {
  const isolate = new ivm.Isolate({ memoryLimit: 64 })
  const context = await isolate.createContext()
  const script = await isolate.compileScript(
    '(send) => (...values) => { Promise.resolve().then(() => send(...values)) }',
  )
  const boot: ivm.Reference<(send: ivm.Callback) => () => void> = await script.run(context, {
    reference: true,
  })
  const enter = await boot.apply(undefined, [new ivm.Callback(() => undefined, { ignored: true })], {
    result: { reference: true },
  })
  const values: never[] = JSON.parse('["settle", 1, 2, true, "{\\"id\\":\\"a\\"}"]')
  const cost = await measure([process.pid], () => enter.apply(undefined, values as [], { timeout: 1_000 }))
  isolate.dispose()
  return cost
}

async function roundTrip(): Promise<number> {
  const echo = `process.stdin.on('data', (chunk) => process.stdout.write(chunk))`
  const child = spawn(process.execPath, ['-e', echo], { stdio: ['pipe', 'pipe', 'inherit'] })
  const bytes = Buffer.alloc(100)
  const cost = await measure(
    [process.pid, child.pid ?? process.pid],
    () =>
      new Promise((resolve) => {
        child.stdout.once('data', resolve)
        child.stdin.write(bytes)
      }),
  )
  child.kill()
  return cost
}

/** µs of CPU. */
export async function floor(): Promise<{ readonly entry: number; readonly roundTrip: number }> {
  return { entry: await entry(), roundTrip: await roundTrip() }
}

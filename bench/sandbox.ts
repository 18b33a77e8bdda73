// Measures the sandbox by itself, without a database: a capability call, a cold host, a cold isolate, and 1,000 tenants who
// take turns. `node bench/sandbox.ts`; about 20 s. Prints one line for each figure.
import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import pino from 'pino'
import { createHostStarter, type SandboxedHost } from '../kernel/src/sandbox/supervisor.ts'
import { caller } from '../tests/support/sandbox.ts'
import { floor } from './floor.ts'

const tenants = 1_000
const rounds = 2
const callsEach = 400
const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const note = entity('Note', { text: t.text() }, { path: 'notes' })
const routes = {
  well: () => 'well',
  calls: async (ctx) => { for (let n = 0; n < ${callsEach}; n++) await ctx.entities.note.get('a'); return 'well' },
}
export default definePlugin({
  name: 'notes', title: 'Notes', entities: { note },
  routes: Object.fromEntries(Object.entries(routes).map(([name, run]) => [name, { method: 'POST', path: '/' + name, run }])),
})
`

async function packed(): Promise<string> {
  const contents = `import plugin from 'plugin'\nglobalThis.__plinthPlugin = plugin`
  const result = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    plugins: [
      {
        name: 'plugin',
        setup(builder) {
          builder.onResolve({ filter: /^plugin$/ }, () => ({ path: 'plugin', namespace: 'plugin' }))
          builder.onLoad({ filter: /.*/, namespace: 'plugin' }, () => ({
            contents: source,
            resolveDir: import.meta.dirname,
          }))
        },
      },
    ],
    bundle: true,
    write: false,
    format: 'iife',
    minify: true,
  })
  return result.outputFiles[0]?.text ?? ''
}

const rssMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

/** All threads, in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

const show = (what: string, value: string) => process.stdout.write(`${what.padEnd(44)} ${value}\n`)

const patient = { limits: { cpuMs: 60_000, wallMs: 60_000 } }
const pidOf = (host: SandboxedHost): number => host.stats().hosts[0]?.pid ?? 0

async function coldCalls(host: SandboxedHost, pauseMs: number): Promise<{ times: number[]; rssMax: number }> {
  const call = caller(host)
  const times: number[] = []
  let rssMax = 0
  for (let n = 0; n < tenants * rounds; n += 1) {
    const started = performance.now()
    await call('well', { ...patient, tenant: `tenant-${n % tenants}` })
    times.push(performance.now() - started)
    if (n % 25 === 0) rssMax = Math.max(rssMax, rssMb(pidOf(host)))
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return { times: times.toSorted((a, b) => a - b), rssMax }
}

/** Beside the floor, in turns: the same work costs twice as much CPU when others use the machine. */
async function capabilityCall(host: SandboxedHost): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await capabilityCallOnce(host)
    const { entry, roundTrip } = await floor()
    const sum = (entry + roundTrip).toFixed(0)
    show(
      '  the floor: entry + round trip on a pipe',
      `${entry.toFixed(0)} µs + ${roundTrip.toFixed(0)} µs = ${sum} µs`,
    )
  }
}

async function capabilityCallOnce(host: SandboxedHost): Promise<void> {
  const call = caller(host)
  for (let n = 0; n < 3; n += 1) await call('calls', patient)
  const repeats = 20
  const before = [cpuMs(process.pid), cpuMs(pidOf(host))] as const
  const started = performance.now()
  for (let n = 0; n < repeats; n += 1) await call('calls', patient)
  const calls = repeats * callsEach
  const perCall = (ms: number) => `${((ms * 1_000) / calls).toFixed(0)} µs`
  show('capability call, wall', perCall(performance.now() - started))
  const [kernel, inHost] = [cpuMs(process.pid) - before[0], cpuMs(pidOf(host)) - before[1]]
  show(
    'capability call, CPU of kernel + host',
    `${perCall(kernel)} + ${perCall(inHost)} = ${perCall(kernel + inHost)}`,
  )
}

async function coldIsolates(host: SandboxedHost): Promise<void> {
  const call = caller(host)
  const before = { rss: rssMb(pidOf(host)), cpu: cpuMs(pidOf(host)) }
  const times: number[] = []
  const count = 80
  for (let n = 0; n < count; n += 1) {
    const started = performance.now()
    await call('well', { ...patient, tenant: `cold-${n}` })
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  show('cold isolate, call to answer, p50', `${percentile(times, 0.5).toFixed(1)} ms`)
  show('cold isolate, CPU of the host', `${((cpuMs(pidOf(host)) - before.cpu) / count).toFixed(1)} ms`)
  show('cold isolate, memory', `${((rssMb(pidOf(host)) - before.rss) / count).toFixed(2)} MB`)
}

const log = pino({ level: 'error' })
const bundle = await packed()
const startHost = await createHostStarter(log)
const open = () => startHost({ name: 'bench', bundle, log })
show('bundle', `${(bundle.length / 1024).toFixed(0)} KB`)

const hostTimes: number[] = []
for (let n = 0; n < 5; n += 1) {
  const host = await open()
  const started = performance.now()
  await caller(host)('well', patient)
  hostTimes.push(performance.now() - started)
  await host.close()
}
show(
  'cold host, call to answer, median',
  `${percentile(
    hostTimes.sort((a, b) => a - b),
    0.5,
  ).toFixed(0)} ms`,
)

for (const measure of [capabilityCall, coldIsolates]) {
  const host = await open()
  await caller(host)('well', patient)
  await measure(host)
  await host.close()
}

for (const [how, pauseMs] of [
  ['back to back', 0],
  ['with pauses of 10 ms', 10],
] as const) {
  const host = await open()
  await caller(host)('well', patient)
  const { times, rssMax } = await coldCalls(host, pauseMs)
  show(
    `${tenants} tenants in turns, ${how}`,
    `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`,
  )
  show('  resident memory at most, deaths', `${rssMax.toFixed(0)} MB, ${JSON.stringify(host.stats().deaths)}`)
  await host.close()
}

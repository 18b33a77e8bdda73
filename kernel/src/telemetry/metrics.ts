// What an operator's Prometheus sees of this process. Labels come from closed sets: modules of the installation, names
// of limits and calls, outcomes. Tenants are no label, for there is no bound on them: kernel.usage has their figures.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type QueueSnapshot, queueMetrics, type TaskWatcher } from './queue-metrics.ts'

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const cpuSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

/** What a running invocation tells. */
export interface InvocationWatcher {
  /** `outcome`: `ok`, `refused` by the plugin, or the code of the error. */
  invocation(module: string, outcome: string, cpuMs: number | undefined): void
  capabilityCall(module: string, name: string): void
}

export interface Metrics extends InvocationWatcher, TaskWatcher {
  /** In Prometheus' text format, which `contentType` names. */
  text(): Promise<string>
  readonly contentType: string
  request(module: string, method: string, status: number, seconds: number): void
  limitHit(module: string, limit: string): void
}

/** Of the processes of one plugin; sandbox/plugin-host.ts has it whole. */
export interface HostFigures {
  readonly hosts: readonly { readonly isolates?: number }[]
  readonly deaths: Readonly<Record<string, number>>
  readonly dropped: number
}

/** Asked each time somebody reads the metrics. */
export interface MetricSources {
  /** By module. */
  readonly hosts: () => Iterable<readonly [module: string, figures: HostFigures]>
  readonly pool: () => { readonly open: number; readonly idle: number; readonly waiting: number }
  readonly queues: () => Promise<QueueSnapshot>
}

export function createMetrics(sources: MetricSources): Metrics {
  const register = new Registry()
  const registers = [register]
  // Event loop lag, heap, garbage collection, handles.
  collectDefaultMetrics({ register })

  const requests = new Histogram({
    name: 'plinth_request_duration_seconds',
    help: 'Requests by module (kernel: its own API), method and class of status.',
    labelNames: ['module', 'method', 'status'],
    buckets: requestSeconds,
    registers,
  })
  const invocations = new Counter({
    name: 'plinth_invocations_total',
    help: 'Handlers of plugins that were run, by outcome.',
    labelNames: ['module', 'outcome'],
    registers,
  })
  const cpu = new Histogram({
    name: 'plinth_invocation_cpu_seconds',
    help: 'CPU of one handler, where its host lived to tell.',
    labelNames: ['module'],
    buckets: cpuSeconds,
    registers,
  })
  const hits = new Counter({
    name: 'plinth_limit_hits_total',
    help: 'Requests that a limit ended, by limit.',
    labelNames: ['module', 'limit'],
    registers,
  })
  const calls = new Counter({
    name: 'plinth_capability_calls_total',
    help: 'Capability calls by name.',
    labelNames: ['module', 'capability'],
    registers,
  })
  hostMetrics(sources, registers)
  const { task } = queueMetrics(registers, sources.queues)
  new Gauge({
    name: 'plinth_data_connections',
    help: 'Connections for units of work: open, idle among them, and callers that wait for one.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.pool())) this.set({ state }, count)
    },
  })

  return {
    task,
    text: () => register.metrics(),
    contentType: register.contentType,
    request: (module, method, status, seconds) =>
      requests.observe({ module, method, status: `${Math.floor(status / 100)}xx` }, seconds),
    invocation(module, outcome, cpuMs) {
      invocations.inc({ module, outcome })
      if (cpuMs !== undefined) cpu.observe({ module }, cpuMs / 1_000)
    },
    limitHit: (module, limit) => hits.inc({ module, limit }),
    capabilityCall: (module, capability) => calls.inc({ module, capability }),
  }
}

/** Kept by the supervisors; copied when they are read. */
function hostMetrics({ hosts }: MetricSources, registers: Registry[]): void {
  new Gauge({
    name: 'plinth_hosts_running',
    help: 'Host processes.',
    labelNames: ['module'],
    registers,
    collect() {
      for (const [module, figures] of hosts()) this.set({ module }, figures.hosts.length)
    },
  })
  new Gauge({
    name: 'plinth_isolates',
    help: 'Isolates in them, one for each tenant, as the hosts say at their heartbeats.',
    labelNames: ['module'],
    registers,
    collect() {
      for (const [module, figures] of hosts()) {
        const told = figures.hosts.flatMap(({ isolates }) => (isolates === undefined ? [] : [isolates]))
        if (told.length > 0)
          this.set(
            { module },
            told.reduce((sum, one) => sum + one),
          )
      }
    },
  })
  new Counter({
    name: 'plinth_host_deaths_total',
    help: 'Host processes that died, by reason.',
    labelNames: ['module', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const [module, { deaths }] of hosts()) {
        for (const [reason, count] of Object.entries(deaths)) this.inc({ module, reason }, count)
      }
    },
  })
  new Counter({
    name: 'plinth_host_messages_dropped_total',
    help: 'Messages of hosts that belonged to no invocation.',
    labelNames: ['module'],
    registers,
    collect() {
      this.reset()
      for (const [module, { dropped }] of hosts()) this.inc({ module }, dropped)
    },
  })
}

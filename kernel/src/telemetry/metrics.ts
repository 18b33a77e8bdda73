// What an operator's Prometheus sees of this process. Labels come from closed sets: modules of the installation, names
// of limits and calls, outcomes. Tenants are no label, for there is no bound on them: kernel.usage has their figures.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const cpuSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

/** Why the kernel ended a host, as it says in the log; `exit` stands for an end of its own, whatever the code. */
const reasons: readonly string[] = Object.freeze([
  'closed',
  'did not load in time',
  'did not start',
  'it could not stop an invocation',
  'protocol violation',
  'silent',
  'too much memory',
])

/** What the supervisor of plugin hosts tells. */
export interface HostWatcher {
  hostStarted(): void
  /** `dropped`: its messages that belonged to no invocation. */
  hostEnded(reason: string, dropped: number): void
}

/** What a running invocation tells. */
export interface InvocationWatcher {
  /** `outcome`: `ok`, `refused` by the plugin, or the code of the error. */
  invocation(module: string, outcome: string, cpuMs: number | undefined): void
  capabilityCall(module: string, name: string): void
}

export interface Metrics extends HostWatcher, InvocationWatcher {
  /** In Prometheus' text format, which `contentType` names. */
  text(): Promise<string>
  readonly contentType: string
  request(module: string, method: string, status: number, seconds: number): void
  limitHit(module: string, limit: string): void
}

export interface MetricSources {
  /** Asked for each time somebody reads the metrics. */
  readonly pool: () => { readonly open: number; readonly idle: number; readonly waiting: number }
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
  const running = new Gauge({ name: 'plinth_hosts_running', help: 'Host processes.', registers })
  const ends = new Counter({
    name: 'plinth_host_ends_total',
    help: 'Host processes that ended, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const dropped = new Counter({
    name: 'plinth_host_messages_dropped_total',
    help: 'Messages of hosts that belonged to no invocation, counted when the host ends.',
    registers,
  })
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
    hostStarted: () => running.inc(),
    hostEnded(reason, messages) {
      running.dec()
      ends.inc({ reason: reasons.includes(reason) ? reason : 'exit' })
      dropped.inc(messages)
    },
  }
}

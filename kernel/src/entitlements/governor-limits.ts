// The governor limits: what one request, or one job, may use of the kernel over all handlers that work for it. One
// table, which docs/limits.md is written from; how they are counted is in broker/spending.ts.

export type WorkKind = 'request' | 'job'

interface Row {
  readonly unit: 'ms' | 'bytes' | 'count'
  readonly request: number
  readonly job: number
  /** Most that a plan or an operator may set; absent: neither may, for something else bounds it as well. */
  readonly most?: number
  /** The highest in a request and not the sum: sums over days would mean nothing. */
  readonly isHeight?: true
  readonly counts: string
}

const kilobyte = 1024
const megabyte = 1024 * kilobyte

export const governorLimits = Object.freeze({
  cpu: {
    unit: 'ms',
    request: 1_000,
    job: 30_000,
    most: 120_000,
    counts: 'CPU time of plugin code, as its isolates measure it',
  },
  cpuPerMinute: {
    unit: 'ms',
    request: 60_000,
    job: 60_000,
    most: 600_000,
    counts:
      'CPU time of one module for one tenant, all requests and jobs of a minute together, in one kernel process',
  },
  wall: {
    unit: 'ms',
    request: 10_000,
    job: 300_000,
    // Beyond it the HTTP server and the unit of work would have to wait longer than they do.
    most: 300_000,
    counts: 'time from the first handler to the last answer; reaching it is `PLUGIN_DEADLINE_EXCEEDED`',
  },
  calls: {
    unit: 'count',
    request: 500,
    job: 500,
    counts: 'capability calls; counted in the isolate as well',
  },
  callDepth: {
    unit: 'count',
    request: 8,
    job: 8,
    most: 16,
    isHeight: true,
    counts: 'handlers inside handlers: services of other modules, hooks of the own',
  },
  queries: {
    unit: 'count',
    request: 250,
    job: 500,
    most: 5_000,
    counts:
      'SQL statements, those of entity calls included: a `lock` is two, a `create` one and one for its lines',
  },
  rowsRead: {
    unit: 'count',
    request: 50_000,
    job: 500_000,
    most: 5_000_000,
    counts: 'records that were read, each of their lines, and rows of `ctx.sql`',
  },
  rowsWritten: {
    unit: 'count',
    request: 10_000,
    job: 50_000,
    most: 500_000,
    counts: 'records created, changed or deleted, and each line written',
  },
  bytesIn: {
    unit: 'bytes',
    request: 8 * megabyte,
    job: 64 * megabyte,
    most: 512 * megabyte,
    counts: 'arguments of all calls',
  },
  bytesOut: {
    unit: 'bytes',
    request: 8 * megabyte,
    job: 64 * megabyte,
    most: 512 * megabyte,
    counts: 'answers to all calls',
  },
  result: {
    unit: 'bytes',
    request: megabyte,
    job: megabyte,
    isHeight: true,
    counts: 'what one handler returns; counted in the isolate as well',
  },
  events: { unit: 'count', request: 50, job: 500, most: 5_000, counts: 'events emitted' },
  jobs: { unit: 'count', request: 50, job: 500, most: 5_000, counts: 'jobs enqueued' },
  jobsAtOnce: {
    unit: 'count',
    request: 2,
    job: 2,
    most: 32,
    isHeight: true,
    counts:
      'jobs of the tenant in the module that run at once, in all kernel processes together; the others wait',
  },
  fetches: { unit: 'count', request: 10, job: 100, most: 1_000, counts: 'requests to outside hosts' },
  fetchBytesIn: {
    unit: 'bytes',
    request: 5 * megabyte,
    job: 20 * megabyte,
    most: 200 * megabyte,
    counts: 'bodies received from outside hosts',
  },
  fetchBytesOut: {
    unit: 'bytes',
    request: megabyte,
    job: 5 * megabyte,
    most: 50 * megabyte,
    counts: 'bodies sent to outside hosts',
  },
  logLines: {
    unit: 'count',
    request: 100,
    job: 1_000,
    counts: 'lines logged, 100 of each handler; what is over is dropped, and nothing else happens',
  },
} as const satisfies Readonly<Record<string, Row>>)

export type GovernorLimit = keyof typeof governorLimits
/** Every limit's cap, for one kind of work. */
export type Limits = Readonly<Record<GovernorLimit, number>>
/** What a plan or an operator sets, by kind of work. */
export type LimitOverrides = Readonly<
  Partial<Record<WorkKind, Readonly<Partial<Record<GovernorLimit, number>>>>>
>

export const limitRows: Readonly<Record<GovernorLimit, Row>> = governorLimits
export const limitNames: readonly GovernorLimit[] = Object.freeze(
  Object.keys(governorLimits).filter(isGovernorLimit),
)

export function isGovernorLimit(name: string): name is GovernorLimit {
  return Object.hasOwn(governorLimits, name)
}

/** The defaults under what is set, of which the last that names a limit has its way: plan, module, tenant and module. */
export function resolveLimits(kind: WorkKind, ...set: readonly (LimitOverrides | undefined)[]): Limits {
  const defaults = Object.fromEntries(limitNames.map((name) => [name, limitRows[name][kind]]))
  // Made from every name of the table, which the compiler cannot see.
  return Object.freeze(Object.assign(defaults, ...set.map((one) => one?.[kind]))) as Limits
}

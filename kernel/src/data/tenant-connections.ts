// The connections of the data login: bounded, each remembering the plugin role and tenant it is bound to, so that a
// read for the same pair is one bare prepared statement. Owns who gets which connection; knows no business SQL.
import type pg from 'pg'
import { errors } from '../errors.ts'
import { DataConnection, pairOf } from './data-connection.ts'
import type { DataLog } from './data-log.ts'
import { quoteName } from './sql-names.ts'
import type { QueryResult, Reader, Statement } from './statement.ts'
import type { TenantKey } from './tenant-signature.ts'

export interface TenantConnectionsOptions {
  /** Of the data login. */
  readonly connection: pg.ClientConfig
  /** Signs the tenant of each session, where the database asks for it. */
  readonly tenantKey?: TenantKey
  readonly max: number
  readonly log: DataLog
  /** How long a caller waits for a free connection: 2 s. */
  readonly waitMs?: number
  /** How many callers may wait at once: 1000. */
  readonly queue?: number
}

export interface TenantConnections {
  /** One statement outside any transaction. For statements that only read. */
  read(role: string, tenant: string, statement: Statement): Promise<QueryResult>
  /** `read` for one tenant, where the store wants a Reader. */
  reader(tenant: string): Reader
  /** For units of work only: a connection until it is given back, cut off after `deadlineMs`. `role` is quoted. */
  lend(role: string, tenant: string, deadlineMs: number): Promise<DataConnection>
  giveBack(connection: DataConnection): void
  /** Nobody gets one of today's connections again: they may be bound to a role that is gone, and know tables that are. */
  renew(): void
  stats(): { readonly open: number; readonly idle: number; readonly waiting: number }
  /** New callers are refused; those under way get five seconds. */
  close(): Promise<void>
}

/** Beyond the server's statement_timeout: reached only when the server no longer answers at all. */
const readDeadlineMs = 15_000
const closeDeadlineMs = 5_000

const shuttingDown = () => errors.databaseUnavailable({}, new Error('the kernel is shutting down'))

interface Waiter {
  take(connection: DataConnection): void
  refuse(error: unknown): void
}

export function openTenantConnections(options: TenantConnectionsOptions): TenantConnections {
  const { max, log, waitMs = 2_000, queue = 1_000 } = options
  /** The one that was given back last is at the end. */
  const idle: DataConnection[] = []
  const lent = new Set<DataConnection>()
  const waiters = new Set<Waiter>()
  /** Those that are not to be used again. */
  const outworn = new WeakSet<DataConnection>()
  let opening = 0
  let closed = false

  const watchdog = setInterval(() => {
    const now = Date.now()
    for (const connection of lent) {
      if (now < connection.deadline || connection.lost) continue
      log.warn({}, 'a database connection was cut: its unit of work or its server took too long')
      connection.destroy()
    }
  }, 500)
  watchdog.unref()

  function lost(connection: DataConnection): void {
    const at = idle.indexOf(connection)
    if (at === -1) return // whoever has it gives it back
    idle.splice(at, 1)
    log.warn({}, 'an idle database connection was lost')
  }

  function takeIdle(pair: string): DataConnection | undefined {
    const at = idle.findLastIndex((connection) => connection.suits(pair))
    // Else the one unused for longest: the others are the likelier to be asked for again.
    return at === -1 ? idle.shift() : idle.splice(at, 1)[0]
  }

  async function open(): Promise<DataConnection> {
    opening += 1
    try {
      return await DataConnection.open(options.connection, lost, options.tenantKey)
    } finally {
      opening -= 1
    }
  }

  function wait(): Promise<DataConnection> {
    if (waiters.size >= queue) return Promise.reject(errors.overloaded({ waitedMs: 0 }))
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        waiters.delete(waiter)
      }
      const waiter: Waiter = {
        take(connection) {
          settle()
          resolve(connection)
        },
        refuse(error) {
          settle()
          reject(error)
        },
      }
      const timer = setTimeout(() => waiter.refuse(errors.overloaded({ waitedMs: waitMs })), waitMs)
      waiters.add(waiter)
    })
  }

  async function take(pair: string, deadlineMs: number): Promise<DataConnection> {
    if (closed) throw shuttingDown()
    const connection = takeIdle(pair) ?? (lent.size + opening < max ? await open() : await wait())
    lent.add(connection)
    connection.deadline = Date.now() + deadlineMs
    return connection
  }

  function giveBack(connection: DataConnection): void {
    connection.deadline = Number.POSITIVE_INFINITY
    if (!closed && connection.isReusable() && !outworn.has(connection)) {
      serve(connection)
      return
    }
    lent.delete(connection)
    if (closed && !connection.lost) void connection.end().catch(() => undefined)
    else connection.destroy()
    if (waiters.size > 0) open().then(serve, refuseFirst)
  }

  /** To whoever waits longest; it stays lent on the way, so that nobody opens another one meanwhile. */
  function serve(connection: DataConnection): void {
    const [next] = waiters
    if (next) {
      lent.add(connection)
      next.take(connection)
    } else {
      lent.delete(connection)
      idle.push(connection)
    }
  }

  function refuseFirst(error: unknown): void {
    const [next] = waiters
    next?.refuse(error)
  }

  async function read(roleName: string, tenant: string, statement: Statement): Promise<QueryResult> {
    const role = quoteName(roleName)
    const pair = pairOf(role, tenant)
    const connection = await take(pair, readDeadlineMs)
    try {
      connection.hold()
      const bound = connection.bind(role, tenant)
      if (statement.fromPlugin || statement.name === undefined) connection.taint(pair)
      const result = connection.run(statement)
      connection.flush()
      if (!bound) return await result
      try {
        await bound
      } catch (error) {
        // The statement was already on its way, bound to somebody else: nobody may see its answer.
        result.catch(() => undefined)
        connection.destroy()
        throw error
      }
      return await result
    } finally {
      connection.flush()
      giveBack(connection)
    }
  }

  return {
    read,
    reader: (tenant) => ({ tenant, query: (role, statement) => read(role, tenant, statement) }),
    lend: (role, tenant, deadlineMs) => take(pairOf(role, tenant), deadlineMs),
    giveBack,
    renew() {
      for (const connection of lent) outworn.add(connection)
      for (const connection of idle.splice(0)) void connection.end().catch(() => undefined)
    },
    stats: () => ({ open: idle.length + lent.size + opening, idle: idle.length, waiting: waiters.size }),
    async close() {
      closed = true
      for (const waiter of waiters) waiter.refuse(shuttingDown())
      await Promise.all(idle.splice(0).map((connection) => connection.end()))
      const deadline = Date.now() + closeDeadlineMs
      while (lent.size + opening > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      for (const connection of lent) connection.destroy()
      clearInterval(watchdog)
    },
  }
}

// The connections of the data login: bounded, each remembering the plugin role and tenant it is bound to, so that a
// read for the same pair is one bare prepared statement. Owns who gets which connection, and that no tenant has them all;
// knows no business SQL.
import type pg from 'pg'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import { ConnectionTurns, type Wish } from './connection-turns.ts'
import { DataConnection, pairOf } from './data-connection.ts'
import type { DataLog } from './data-log.ts'
import { quoteName } from './sql-names.ts'
import { isPlugins, type QueryResult, type Reader, type Statement } from './statement.ts'
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

/** Of all connections, what one tenant alone does not get: his slow statements would be everybody's wait. */
const keptForOthers = 1 / 4
/**
 * And what he does not get for reads. What comes back from all of them is worked off before anybody else's next step: with
 * a storm of lists on twelve connections another's request took five times as long as with it on four, which did more.
 */
const keptFromReads = 3 / 4

const shuttingDown = () => errors.databaseUnavailable({}, new Error('the kernel is shutting down'))

export function openTenantConnections(
  options: TenantConnectionsOptions,
  off: DefencesOff = allStand,
): TenantConnections {
  const { max, log, waitMs = 2_000, queue = 1_000 } = options
  /** The one that was given back last is at the end. */
  const idle: DataConnection[] = []
  /** By whom they are held. */
  const lent = new Map<DataConnection, Wish>()
  /** How many each tenant has, those that are being opened for him too. */
  const held = new Map<string, number>()
  const heldForReads = new Map<string, number>()
  const isFair = !off.has('fairConnections')
  /** Those that are not to be used again. */
  const outworn = new WeakSet<DataConnection>()
  const turns = new ConnectionTurns({ waitMs, queue, inTurns: isFair })
  const mostOfOne = isFair ? max - Math.floor(max * keptForOthers) : max
  const mostReadsOfOne = isFair ? Math.max(2, max - Math.floor(max * keptFromReads)) : max
  let opening = 0
  let closed = false

  const watchdog = setInterval(() => {
    const now = Date.now()
    for (const connection of lent.keys()) {
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

  const mayHave = ({ tenant, isRead }: Wish) =>
    (held.get(tenant) ?? 0) < mostOfOne && !(isRead && (heldForReads.get(tenant) ?? 0) >= mostReadsOfOne)

  /** `by` more of the tenant's. */
  function hold({ tenant, isRead }: Wish, by: 1 | -1): void {
    for (const counts of isRead ? [held, heldForReads] : [held]) {
      const count = (counts.get(tenant) ?? 0) + by
      if (count > 0) counts.set(tenant, count)
      else counts.delete(tenant)
    }
  }

  async function openFor(wish: Wish): Promise<DataConnection> {
    hold(wish, 1)
    try {
      return await open()
    } finally {
      hold(wish, -1)
    }
  }

  async function takeFor(pair: string, wish: Wish): Promise<DataConnection> {
    const found = mayHave(wish) ? takeIdle(pair) : undefined
    const connection =
      found ?? (mayHave(wish) && lent.size + idle.length + opening < max ? await openFor(wish) : undefined)
    if (!connection) return turns.wait(wish)
    lent.set(connection, wish)
    hold(wish, 1)
    return connection
  }

  async function take(pair: string, wish: Wish, deadlineMs: number): Promise<DataConnection> {
    if (closed) throw shuttingDown()
    const connection = await takeFor(pair, wish)
    connection.deadline = Date.now() + deadlineMs
    return connection
  }

  function giveBack(connection: DataConnection): void {
    connection.deadline = Number.POSITIVE_INFINITY
    const wish = lent.get(connection)
    lent.delete(connection)
    if (wish) hold(wish, -1)
    if (!closed && connection.isReusable() && !outworn.has(connection)) {
      serve(connection)
      return
    }
    if (closed && !connection.lost) void connection.end().catch(() => undefined)
    else connection.destroy()
    if (turns.size === 0) return
    const other = idle.shift()
    if (other) serve(other)
    else open().then(serve, (error: unknown) => turns.refuseFirst(error))
  }

  /** To whose turn it is; it is lent before anybody else can ask. */
  function serve(connection: DataConnection): void {
    const wish = turns.give(connection, mayHave)
    if (!wish) {
      idle.push(connection)
      return
    }
    lent.set(connection, wish)
    hold(wish, 1)
  }

  async function read(roleName: string, tenant: string, statement: Statement): Promise<QueryResult> {
    const role = quoteName(roleName)
    const pair = pairOf(role, tenant)
    const connection = await take(pair, { tenant, isRead: true }, readDeadlineMs)
    try {
      connection.hold()
      const bound = connection.bind(role, tenant)
      if (isPlugins(statement)) connection.taint(pair)
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
    lend: (role, tenant, deadlineMs) => take(pairOf(role, tenant), { tenant, isRead: false }, deadlineMs),
    giveBack,
    renew() {
      for (const connection of lent.keys()) outworn.add(connection)
      for (const connection of idle.splice(0)) void connection.end().catch(() => undefined)
    },
    stats: () => ({ open: idle.length + lent.size + opening, idle: idle.length, waiting: turns.size }),
    async close() {
      closed = true
      turns.refuseAll(shuttingDown())
      await Promise.all(idle.splice(0).map((connection) => connection.end()))
      const deadline = Date.now() + closeDeadlineMs
      while (lent.size + opening > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      for (const connection of lent.keys()) connection.destroy()
      clearInterval(watchdog)
    },
  }
}

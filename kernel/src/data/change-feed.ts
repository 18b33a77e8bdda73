// Tells every kernel process on the database that something it keeps in memory has changed, over LISTEN/NOTIFY.
// A change is announced inside the transaction that makes it; `settled` waits until the other processes have
// acted on it, so that "effective in the next request" holds in all of them and not only in this one.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Logger } from 'pino'

const channel = 'plinth_config'
const acknowledgements = 'plinth_ack'
const applicationName = 'plinth-feed'
/** A process that does not answer within this time is taken to be on its way out; it re-reads on reconnect. */
const settleDeadlineMs = 1_000
const reconnectDelayMs = 250
const keptAnnouncementMs = 60_000
const pulseMs = 5_000
const pulseDeadlineMs = 3_000

export interface Change {
  readonly kind:
    | 'tenant'
    | 'tenantClosed'
    | 'member'
    | 'domain'
    | 'origins'
    | 'access'
    | 'session'
    | 'limits'
    | 'plugins'
    | 'tokenKeys'
    | 'mail'
    | 'all'
  /** Id of what changed; '' for everything. */
  readonly id: string
}

/** What it returns is waited for before the change counts as acted on; it must not reject. */
type Listener = (change: Change) => void | Promise<void>

/** A change that somebody else's transaction tells of. */
export interface Announcement {
  /** To be run in that transaction; takes effect with its commit. */
  readonly command: string
  /** After the commit: as `settled` of the feed. */
  settled(): Promise<boolean>
}

export interface ChangeFeed {
  /** For a transaction that is no client's of ours. */
  announcement(change: Change): Announcement
  /** Announces within the caller's transaction. The id that comes back is for `settled`, after the commit. */
  announce(client: Pick<pg.ClientBase, 'query'>, change: Change): Promise<string>
  /**
   * Waits until every live kernel process has acted on the change, a second at most when nothing else is said. False when
   * one has not, or when nobody can tell.
   */
  settled(announcement: string, deadlineMs?: number): Promise<boolean>
  onChange(listener: Listener): void
  /** False while the connection is down: then nothing kept in memory may be trusted. */
  isLive(): boolean
  close(): Promise<void>
}

function parseChange(payload: string): (Change & { announcement?: string }) | undefined {
  try {
    const parsed: unknown = JSON.parse(payload)
    return typeof parsed === 'object' && parsed !== null && 'kind' in parsed && 'id' in parsed
      ? (parsed as Change & { announcement?: string })
      : undefined
  } catch {
    return undefined
  }
}

export async function startChangeFeed(options: {
  readonly connection: pg.ClientConfig
  readonly log: Logger
}): Promise<ChangeFeed> {
  const { log } = options
  const listeners: Listener[] = []
  const waiting = new Map<string, { seen: number; wake: () => void }>()
  let client: pg.Client | undefined
  let closed = false
  let retry: NodeJS.Timeout | undefined

  // Every listener is called before this returns: what it keeps in memory is forgotten at once, whatever it then does.
  const tell = (change: Change) => Promise.all(listeners.map((listener) => listener(change)))

  function receive(message: pg.Notification): void {
    const payload = message.payload ?? ''
    if (message.channel === acknowledgements) {
      const entry = waiting.get(payload)
      if (entry) {
        entry.seen += 1
        entry.wake()
      }
      return
    }
    const change = parseChange(payload)
    if (!change) return
    const { announcement } = change
    const acted = tell(change)
    if (announcement) {
      void acted.then(() =>
        client?.query('SELECT pg_notify($1, $2)', [acknowledgements, announcement]).catch(lost),
      )
    }
  }

  /** A connection that died without a word would leave this process with what it knew. */
  async function checkPulse(): Promise<void> {
    const asked = client
    if (!asked) return
    const silent = setTimeout(() => {
      if (client === asked) lost(new Error('no answer to a ping'))
    }, pulseDeadlineMs)
    await asked.query('SELECT 1').catch(() => undefined)
    clearTimeout(silent)
  }

  function lost(error?: unknown): void {
    if (closed || client === undefined) return
    log.warn(
      { err: error },
      'the change feed lost its connection; nothing is served from memory until it is back',
    )
    const broken = client
    client = undefined
    broken.removeAllListeners('notification')
    broken.connection.stream.destroy()
    void tell({ kind: 'all', id: '' })
    schedule()
  }

  function schedule(): void {
    retry = setTimeout(() => void connect().catch(schedule), reconnectDelayMs)
    retry.unref()
  }

  async function connect(): Promise<void> {
    if (closed) return
    const fresh = new pg.Client({
      ...options.connection,
      application_name: applicationName,
      // Acknowledgements and the pulse do not wait for each other.
      pipeline: true,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    })
    // Without a listener a broken socket would end the process; `lost` acts on it once connected.
    fresh.on('error', (error) => (client === fresh ? lost(error) : undefined))
    fresh.on('end', () => (client === fresh ? lost() : undefined))
    try {
      await fresh.connect()
      fresh.on('notification', receive)
      await fresh.query(`LISTEN ${channel}; LISTEN ${acknowledgements}`)
    } catch (error) {
      fresh.connection.stream.destroy()
      throw error
    }
    if (closed) return void (await fresh.end())
    client = fresh
    // What was announced while nobody listened here is unknown: forget everything.
    void tell({ kind: 'all', id: '' })
  }

  /** The change is committed by now: that it cannot be counted who has heard of it must not fail it. */
  async function countProcesses(on: pg.Client): Promise<number> {
    try {
      const { rows } = await on.query<{ count: number }>(
        'SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
        [applicationName],
      )
      return rows[0]?.count ?? 0
    } catch (error) {
      lost(error)
      return 0
    }
  }

  /** Registered before the commit: the first acknowledgement can be faster than our own next step. */
  function register(change: Change): { readonly announcement: string; readonly payload: string } {
    const announcement = randomUUID()
    waiting.set(announcement, { seen: 0, wake: () => undefined })
    setTimeout(() => waiting.delete(announcement), keptAnnouncementMs).unref()
    return { announcement, payload: JSON.stringify({ ...change, announcement }) }
  }

  async function settled(announcement: string, deadlineMs = settleDeadlineMs): Promise<boolean> {
    const entry = waiting.get(announcement)
    if (!entry || !client) return false
    const expected = await countProcesses(client)
    const isSettled = await new Promise<boolean>((resolve) => {
      const deadline = setTimeout(() => {
        log.warn({ expected, seen: entry.seen }, 'a kernel process did not acknowledge a change in time')
        resolve(false)
      }, deadlineMs)
      entry.wake = () => {
        if (entry.seen < expected) return
        clearTimeout(deadline)
        resolve(true)
      }
      entry.wake()
    })
    waiting.delete(announcement)
    return isSettled
  }

  await connect()
  const pulse = setInterval(() => void checkPulse(), pulseMs)
  pulse.unref()

  return {
    announcement(change) {
      const { announcement, payload } = register(change)
      // NOTIFY takes no parameters.
      return {
        command: `NOTIFY ${channel}, ${pg.escapeLiteral(payload)}`,
        settled: () => settled(announcement),
      }
    },
    async announce(transaction, change) {
      const { announcement, payload } = register(change)
      await transaction.query('SELECT pg_notify($1, $2)', [channel, payload])
      return announcement
    },
    settled,
    onChange: (listener) => void listeners.push(listener),
    isLive: () => client !== undefined,
    async close() {
      closed = true
      clearTimeout(retry)
      clearInterval(pulse)
      const last = client
      client = undefined
      await last?.end()
    },
  }
}

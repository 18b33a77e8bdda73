// One connection of the data login, in pipeline mode: statements are sent without waiting for the answers before them.
// Owns what the session is bound to, which statements it has prepared and whether it can still be used.
import pg from 'pg'
import { errors } from '../errors.ts'
import { type AnswerBounds, AnswerMeter } from './answer-meter.ts'
import { endsConnection, translateFailure } from './database-failure.ts'
import { quoteName } from './sql-names.ts'
import type { QueryResult, Row, Statement } from './statement.ts'
import { signTenant, type TenantKey } from './tenant-signature.ts'
import { wireTypes } from './wire-values.ts'

/** Each prepared statement holds some 50 KB in its backend; a client can ask for any number of different lists. */
const mostStatements = 200
const connectDeadlineMs = 5_000

/** Of statements that the kernel wrote. Their time is bounded by the server and by the unit's deadline. */
export const kernelBounds: AnswerBounds = Object.freeze({
  bytes: 32 * 1024 * 1024,
  ms: Number.POSITIVE_INFINITY,
  exceeded: (_what: string, bytes: number, limit: number) => errors.answerTooLarge({ bytes, limit }),
})

/**
 * Texts of dates and times must not depend on the server. And without the check a backend whose client was cut off
 * would go on with its statement, and keep its locks, until statement_timeout.
 */
const sessionOptions = '-c TimeZone=UTC -c DateStyle=ISO -c client_connection_check_interval=500'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Single reads are all that runs outside a unit of work; a unit says READ WRITE. */
const onlyReads = 'SET default_transaction_read_only = on'

/** Tenant ids stand in SET, which takes no parameters. */
function tenantText(tenant: string): string {
  if (!uuid.test(tenant)) throw new Error('a tenant id must be a UUID in lower case')
  return tenant
}

/** pg keeps the names it has prepared here, and skips the parsing of those: what we drop must be dropped there too. */
function preparedNames(client: pg.Client): Record<string, unknown> {
  const connection: object = client.connection
  if ('parsedStatements' in connection && typeof connection.parsedStatements === 'object') {
    return connection.parsedStatements as Record<string, unknown>
  }
  throw new Error('this version of pg keeps its prepared statements somewhere else')
}

/** PostgreSQL names its process when a session begins; the types of pg leave it out. */
function backendOf(client: pg.Client): number {
  if ('processID' in client && typeof client.processID === 'number') return client.processID
  throw new Error('this version of pg keeps the process of a session somewhere else')
}

/** What a session is bound to. `role` as in SET ROLE, that is quoted. */
export const pairOf = (role: string, tenant: string): string => `${role} ${tenant}`

/** As pg wants it. pg copies every own property of what it is given by its descriptor, so there is but one. */
class Sent implements pg.QueryArrayConfig {
  readonly statement: Statement

  constructor(statement: Statement) {
    this.statement = statement
  }

  get text(): string {
    return this.statement.text
  }

  get values(): unknown[] {
    return [...this.statement.values]
  }

  get name(): string | undefined {
    return this.statement.name
  }

  get rowMode(): 'array' {
    return 'array'
  }

  /** Without it a text that has no values would go out as a script of any number of statements. */
  get queryMode(): 'extended' {
    return 'extended'
  }
}

export class DataConnection {
  readonly #client: pg.Client
  readonly #prepared: Record<string, unknown>
  readonly #tenantKey: TenantKey | undefined
  readonly #onLost: (connection: DataConnection) => void
  /** Counts once the socket is the one that stays: TLS has its own. */
  #meter: AnswerMeter | undefined
  /** Why we cut the socket ourselves. */
  #cutFor: Error | undefined
  /** Names in the order of their last use. */
  readonly #names = new Set<string>()
  #bound = ''
  /** Whose plugin's SQL has run here since the session was last cleaned; '' for nobody's. */
  #tainted = ''
  #held = false
  /** Set when the socket is gone or must not be used again. */
  lost = false
  /** Moment after which whoever has the connection is cut off. */
  deadline = Number.POSITIVE_INFINITY

  private constructor(
    client: pg.Client,
    onLost: (connection: DataConnection) => void,
    tenantKey: TenantKey | undefined,
  ) {
    this.#client = client
    this.#tenantKey = tenantKey
    this.#prepared = preparedNames(client)
    this.#onLost = onLost
  }

  static async open(
    config: pg.ClientConfig,
    onLost: (connection: DataConnection) => void,
    tenantKey?: TenantKey,
  ): Promise<DataConnection> {
    const client = new pg.Client({
      connectionTimeoutMillis: connectDeadlineMs,
      application_name: 'plinth-data',
      ...config,
      options: `${config.options ?? ''} ${sessionOptions}`.trim(),
      keepAlive: true,
      pipeline: true,
      types: wireTypes,
    })
    const connection = new DataConnection(client, onLost, tenantKey)
    // Without a listener a broken socket would end the process.
    client.on('error', () => connection.#lose())
    client.on('end', () => connection.#lose())
    try {
      await client.connect()
    } catch (error) {
      connection.lost = true
      throw translateFailure(error, true)
    }
    connection.#meter = new AnswerMeter(client.connection.stream, (why) => {
      connection.#cutFor ??= why
      connection.destroy()
    })
    return connection
  }

  /** Whether whoever wants the pair has less to send here than elsewhere. */
  suits(pair: string): boolean {
    return this.#bound === pair || this.#tainted === pair
  }

  /**
   * Binds the session to role and tenant for single reads. The binding is one message, so it happens as a whole or
   * not at all; undefined when there was nothing to do. The caller must not use answers when it was refused.
   */
  bind(role: string, tenant: string): Promise<unknown> | undefined {
    const pair = pairOf(role, tenant)
    const cleaned = this.cleanFor(pair)
    if (this.#bound === pair) return cleaned
    const text = `RESET ROLE; SET plinth.tenant_id = '${this.tenantSetting(tenant)}'; ${onlyReads}; SET ROLE ${role}`
    this.#bound = pair
    const bound = this.command(text)
    return cleaned ? Promise.all([cleaned, bound]) : bound
  }

  /** What stands in SET plinth.tenant_id, signed for this session where the database asks for it. */
  tenantSetting(tenant: string): string {
    const text = tenantText(tenant)
    return this.#tenantKey ? signTenant(this.#tenantKey, text, backendOf(this.#client)) : text
  }

  /** Sends DISCARD ALL when another plugin or tenant has run SQL of its own here; undefined when there was none. */
  cleanFor(pair: string): Promise<unknown> | undefined {
    if (this.#tainted === '' || this.#tainted === pair) return undefined
    this.#tainted = ''
    this.#bound = ''
    this.#names.clear()
    for (const name of Object.keys(this.#prepared)) delete this.#prepared[name]
    return this.command('DISCARD ALL')
  }

  /** A plugin's SQL runs here. What the session is bound to is said again after it. */
  taint(pair: string): void {
    this.#tainted = pair
    this.#bound = ''
  }

  /** From here on messages are collected; `flush` sends them in one write. */
  hold(): void {
    if (this.#held) return
    this.#held = true
    this.#client.connection.stream.cork()
  }

  flush(): void {
    if (!this.#held) return
    this.#held = false
    this.#client.connection.stream.uncork()
  }

  /** A constant text without values. Answers with the command's tag, such as COMMIT. */
  command(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const answered = this.#meter?.expect(kernelBounds)
      this.#client.query(text, (error: unknown, result) => {
        answered?.()
        if (error) reject(this.#failed(error))
        else {
          const last = Array.isArray(result) ? result.at(-1) : result
          resolve(last?.command ?? '')
        }
      })
    })
  }

  run(statement: Statement): Promise<QueryResult> {
    if (statement.name !== undefined) this.#remember(statement.name)
    return new Promise((resolve, reject) => {
      const answered = this.#meter?.expect(statement.bounds ?? kernelBounds)
      this.#client.query<Row & never[]>(new Sent(statement), (error: unknown, result) => {
        answered?.()
        if (error) reject(this.#failed(error))
        else {
          resolve({
            rows: result.rows,
            rowCount: result.rowCount ?? 0,
            columns: result.fields.map((field) => field.name),
          })
        }
      })
    })
  }

  /** PostgreSQL's own word on it, as of the last answer. */
  get inTransaction(): boolean {
    return this.#client.getTransactionStatus() === 'T'
  }

  /** Before somebody else gets it: no transaction open, not too many statements. False: do not use it again. */
  isReusable(): boolean {
    if (this.lost || this.#client.getTransactionStatus() !== 'I') return false
    while (this.#names.size > mostStatements) this.#forgetOldest()
    return !this.lost
  }

  /** Cuts the socket. Whatever was under way fails as databaseUnavailable. */
  destroy(): void {
    this.lost = true
    this.#client.connection.stream.destroy()
  }

  async end(): Promise<void> {
    this.lost = true
    await this.#client.end()
  }

  #lose(): void {
    if (this.lost) return
    this.lost = true
    this.#onLost(this)
  }

  #failed(error: unknown): unknown {
    if (this.#cutFor) return this.#cutFor
    if (endsConnection(error)) this.#lose()
    return translateFailure(error, this.lost)
  }

  #remember(name: string): void {
    this.#names.delete(name)
    this.#names.add(name)
  }

  #forgetOldest(): void {
    const [oldest] = this.#names
    if (oldest === undefined) return
    this.#names.delete(oldest)
    // One that failed to parse is not there, and dropping it would be an error.
    if (this.#prepared[oldest] === undefined) return
    delete this.#prepared[oldest]
    this.command(`DEALLOCATE ${quoteName(oldest)}`).catch(() => this.destroy())
  }
}

// One database transaction with tenant, plugin role and actor bound to it. It is opened by its first statement,
// commits when the function given to it returns and rolls back when it throws.
import {
  type AuditEntry,
  type AuditOrigin,
  insertAudit,
  insertEvents,
  type OutboxEvent,
} from './audit-outbox.ts'
import type { Announcement } from './change-feed.ts'
import { type DataConnection, pairOf } from './data-connection.ts'
import { type DatabaseFailure, isDatabaseFailure, uncertainCommit } from './database-failure.ts'
import { quoteName } from './sql-names.ts'
import type { QueryResult, Reader, Statement } from './statement.ts'
import { explainDone, markDone, type TaskInHand } from './task-done.ts'
import type { TenantConnections } from './tenant-connections.ts'

export interface UnitScope {
  readonly tenant: string
  /** Id of the person on whose behalf this happens. */
  readonly actor: string
  readonly requestId: string
  /** Id of the person whose right the actor uses, where it is not his own. */
  readonly onBehalfOf?: string
  readonly origin?: AuditOrigin
  /** The connection is cut when the unit takes longer: 30 s. */
  readonly deadlineMs?: number
  /** The database refuses every write in it. */
  readonly readOnly?: boolean
  /** Asked at the commit which of the modules whose records were changed others must hear of. */
  readonly tell?: (changed: ReadonlySet<string>) => Announcement | undefined
  /** What it does is done with its commit, and not done without it. */
  readonly task?: TaskInHand
  /** Told when events were committed. Must cost nothing. */
  readonly emitted?: () => void
}

/** Turns a refusal of the database into the error the caller should see. Runs after the rollback, outside the unit. */
export type Explain = (failure: DatabaseFailure, reader: Reader) => unknown

interface Sending {
  readonly explain?: Explain | undefined
  /** Somebody waits for the answer: what was held back goes out now. */
  readonly awaited?: true
  /** Waits for no lock longer than so many milliseconds. */
  readonly lockMs?: number
}

/** With `lockMs` it waits for no lock longer than that. What `writes` would be rolled back, as a change of a record would. */
export type OwnOptions = Pick<Sending, 'explain' | 'lockMs'> & { readonly writes?: boolean }

export interface UnitOfWork extends Reader {
  readonly scope: UnitScope
  /**
   * The rows of one statement, run as the plugin's role. A statement that fails ends the unit: whoever catches the
   * error can do nothing more in it.
   */
  query(role: string, statement: Statement, explain?: Explain): Promise<QueryResult>
  /**
   * Sends a statement nobody waits for, with whatever comes next. Its failure is the failure of the unit. COMMIT may go out
   * with it: what else must be so of its answer the statement says itself, by failing (see touching-one.ts).
   */
  send(role: string, statement: Statement, explain?: Explain): void
  /** A statement on the kernel's own tables, as the data login itself: what stands or falls with this transaction. */
  ownQuery(statement: Statement, options?: OwnOptions): Promise<QueryResult>
  /** Run before the commit, when everything else has been done. */
  beforeCommit(last: () => Promise<void>): void
  /** Run when it has been committed. Must cost nothing, and not throw. */
  afterCommit(next: () => void): void
  /** Written with the commit, in the same transaction. */
  audit(entry: AuditEntry): void
  emit(event: OutboxEvent): void
  /** Records this unit has locked, by table and id: nobody else can change them before it ends. */
  readonly locked: Map<string, unknown>
  /** It holds a connection, and perhaps locks. */
  readonly isOpen: boolean
  /** A record was changed or an event emitted: something would be rolled back. */
  readonly hasWritten: boolean
}

const unitDeadlineMs = 30_000

/** Runs `work` in one transaction. Nothing reaches the database before the first statement of `work`. */
export async function withUnitOfWork<T>(
  connections: TenantConnections,
  scope: UnitScope,
  work: (unit: UnitOfWork) => Promise<T>,
): Promise<T> {
  const unit = new Unit(connections, scope)
  try {
    const value = await work(unit)
    await unit.commit()
    return value
  } catch (error) {
    throw await unit.rollBack(error)
  }
}

/** The data login itself, which may add to audit and outbox, and decide on its tenant's approvals. */
const asLogin = 'NONE'

/**
 * A subtransaction may be READ ONLY in one that has written: PostgreSQL gives back what was before with its end, and
 * nothing inside can turn it off again.
 */
const beginReadOnly = 'SAVEPOINT plinth_read; SET LOCAL transaction_read_only = on'
const endReadOnly = 'RELEASE SAVEPOINT plinth_read'

/**
 * What is done in the background may take longer than the server lets requests take. A server that knows no
 * transaction_timeout has none to be longer than; one that does has begun to count, and only 0 ends that.
 */
const waitLonger = (ms: number): string => `
  DO $do$ BEGIN
    SET LOCAL idle_in_transaction_session_timeout = ${ms};
    SET LOCAL transaction_timeout = 0;
    SET LOCAL transaction_timeout = ${ms};
  EXCEPTION WHEN undefined_object THEN SET LOCAL idle_in_transaction_session_timeout = ${ms};
  END $do$`

class Unit implements UnitOfWork {
  readonly scope: UnitScope
  readonly tenant: string
  readonly locked = new Map<string, unknown>()
  readonly #connections: TenantConnections
  readonly #audits: AuditEntry[] = []
  readonly #events: OutboxEvent[] = []
  readonly #last: (() => Promise<void>)[] = []
  readonly #next: (() => void)[] = []
  /** Everything sent and not waited for; each settles, none rejects. */
  readonly #underWay: Promise<unknown>[] = []
  #lending: Promise<DataConnection> | undefined
  #connection: DataConnection | undefined
  /** As which the transaction runs, as in SET ROLE; '' before it has begun. */
  #role = ''
  /** Nothing more may be sent. A handler that kept its ctx cannot write into somebody else's transaction. */
  #ended = false
  #isReading = false
  #ownWrites = false
  #committing: Promise<string> | undefined
  #failure: Promise<unknown> | undefined

  constructor(connections: TenantConnections, scope: UnitScope) {
    this.#connections = connections
    this.scope = scope
    this.tenant = scope.tenant
  }

  get isOpen(): boolean {
    return this.#lending !== undefined
  }

  get hasWritten(): boolean {
    return this.#audits.length > 0 || this.#events.length > 0 || this.#ownWrites
  }

  async query(role: string, statement: Statement, explain?: Explain): Promise<QueryResult> {
    try {
      if (statement.readOnly && this.#mayReadOutside())
        return await this.#readOutside(role, statement, explain)
      return await this.#submit(quoteName(role), statement, { explain, awaited: true })
    } catch (error) {
      throw (await this.#failure) ?? error
    }
  }

  send(role: string, statement: Statement, explain?: Explain): void {
    // Of one that comes too late nothing is to be undone: the transaction has its end, or COMMIT is on its way.
    if (this.#ended && !this.#failure) throw hasEnded()
    this.#track(this.#submit(quoteName(role), statement, { explain }))
  }

  async ownQuery(
    statement: Statement,
    { writes = false, ...options }: OwnOptions = {},
  ): Promise<QueryResult> {
    this.#ownWrites ||= writes
    try {
      return await this.#submit(asLogin, statement, { ...options, awaited: true })
    } catch (error) {
      throw (await this.#failure) ?? error
    }
  }

  beforeCommit(last: () => Promise<void>): void {
    this.#last.push(last)
  }

  afterCommit(next: () => void): void {
    this.#next.push(next)
  }

  audit(entry: AuditEntry): void {
    this.#audits.push(entry)
  }

  emit(event: OutboxEvent): void {
    this.#events.push(event)
  }

  async commit(): Promise<void> {
    for (const last of this.#last) await last()
    if (this.#failure) throw await this.#failure
    const { tenant, actor, requestId, onBehalfOf = null, origin = {}, task } = this.scope
    if (this.#audits.length > 0) {
      const entries = JSON.stringify(this.#audits)
      const values = [tenant, actor, requestId, entries, onBehalfOf, JSON.stringify(origin)]
      this.#track(this.#submit(asLogin, insertAudit(values)))
    }
    if (this.#events.length > 0) {
      const depth = task ? task.depth + 1 : 0
      const values = [
        tenant,
        actor,
        requestId,
        JSON.stringify(this.#events),
        origin.traceparent ?? null,
        depth,
      ]
      this.#track(this.#submit(asLogin, insertEvents(values)))
    }
    if (task) {
      const result = task.result === undefined ? null : JSON.stringify(task.result)
      const values = [tenant, task.id, task.attempt, result]
      this.#track(this.#submit(asLogin, markDone(values), { explain: explainDone }))
    }
    const connection = this.#connection ?? (await this.#lending)
    this.#ended = true
    if (!connection) return
    const changed = new Set(this.#audits.map(({ module }) => module))
    const announcement = this.scope.tell?.(changed)
    if (announcement) this.#track(connection.command(announcement.command))
    this.#committing = connection.command('COMMIT')
    connection.flush()
    const tag = await this.#committing
    await Promise.all(this.#underWay)
    if (this.#failure) throw await this.#failure
    // PostgreSQL answers COMMIT with ROLLBACK when the transaction had failed.
    if (tag !== 'COMMIT') throw new Error(`the transaction ended with ${tag}`)
    this.#connections.giveBack(connection)
    if (this.#events.length > 0) this.scope.emitted?.()
    for (const next of this.#next) next()
    await announcement?.settled()
  }

  /** Undoes everything and answers what to throw: the first failure of a statement, else what `work` threw. */
  async rollBack(thrown: unknown): Promise<unknown> {
    const failure = await this.#fail(thrown)
    return this.#committing ? uncertainCommit(failure) : failure
  }

  /** Before the first write nothing is to be seen but what is committed, and no transaction is needed to see that. */
  #mayReadOutside(): boolean {
    return !this.#lending && !this.#ended && !this.#isReading
  }

  /**
   * A read on a connection that carries role and tenant already: one bare statement instead of five. Statements of a
   * transaction at READ COMMITTED see no more of each other's past than this does. One at a time: a handler that reads
   * fifty records at once does it in its transaction, and not on fifty connections.
   */
  async #readOutside(role: string, statement: Statement, explain?: Explain): Promise<QueryResult> {
    this.#isReading = true
    try {
      return await this.#connections.read(role, this.tenant, statement)
    } catch (error) {
      throw await this.#fail(error, explain)
    } finally {
      this.#isReading = false
    }
  }

  #submit(role: string, statement: Statement, options: Sending = {}): Promise<QueryResult> {
    if (this.#ended) return this.#refuse()
    if (this.#connection) return this.#sendOn(this.#connection, role, statement, options)
    return this.#borrow(role).then((connection) =>
      this.#ended ? this.#refuse() : this.#sendOn(connection, role, statement, options),
    )
  }

  #borrow(role: string): Promise<DataConnection> {
    if (this.#lending) return this.#lending
    const { tenant, deadlineMs = unitDeadlineMs } = this.scope
    this.#lending = this.#connections.lend(role, tenant, deadlineMs)
    // The first to hear of it, or a later statement would overtake those that wait for the connection.
    this.#lending.then(
      (connection) => {
        this.#connection = connection
      },
      () => undefined,
    )
    return this.#lending
  }

  async #refuse(): Promise<never> {
    throw (await this.#failure) ?? hasEnded()
  }

  #sendOn(
    connection: DataConnection,
    role: string,
    statement: Statement,
    { explain, awaited, lockMs }: Sending,
  ): Promise<QueryResult> {
    connection.hold()
    if (this.#role === '') this.#begin(connection, role)
    else if (role !== this.#role) this.#track(connection.command(`SET LOCAL ROLE ${role}`))
    this.#role = role
    const isPlugins = statement.name === undefined || statement.fromPlugin === true
    if (isPlugins) this.#taint(connection, role)
    if (statement.inReadOnly) this.#track(connection.command(beginReadOnly))
    if (lockMs !== undefined) this.#track(connection.command(`SET LOCAL lock_timeout = ${lockMs}`))
    const result = connection.run(statement)
    // Here and not further out: after an error everything behind it fails too, and the first must be heard first.
    this.#track(result, explain)
    if (statement.inReadOnly) this.#track(connection.command(endReadOnly))
    if (lockMs !== undefined) this.#track(connection.command('SET LOCAL lock_timeout TO DEFAULT'))
    if (awaited) connection.flush()
    return isPlugins ? result.then((answer) => this.#checkedInside(connection, answer)) : result
  }

  /** One message: BEGIN with what binds the transaction, so that nothing can run in between. */
  #begin(connection: DataConnection, role: string): void {
    const cleaned = connection.cleanFor(pairOf(role, this.tenant))
    if (cleaned) this.#track(cleaned)
    const tenant = connection.tenantSetting(this.tenant)
    const mode = this.scope.readOnly ? 'READ ONLY' : 'READ WRITE'
    const { task, deadlineMs = unitDeadlineMs } = this.scope
    const longer = task ? `${waitLonger(deadlineMs)};` : ''
    this.#track(
      connection.command(
        `BEGIN ${mode}; ${longer} SET LOCAL ROLE ${role}; SET LOCAL plinth.tenant_id = '${tenant}'`,
      ),
    )
  }

  #taint(connection: DataConnection, role: string): void {
    connection.taint(pairOf(role, this.tenant))
    this.locked.clear()
  }

  #checkedInside(connection: DataConnection, result: QueryResult): QueryResult {
    if (connection.inTransaction) return result
    // It got past the vetting and ended the transaction: role and tenant are no longer what we set.
    connection.destroy()
    throw new Error('a statement of a plugin ended its transaction')
  }

  #track(sent: Promise<unknown>, explain?: Explain): void {
    this.#underWay.push(sent.catch((error) => this.#fail(error, explain)))
  }

  #fail(error: unknown, explain?: Explain): Promise<unknown> {
    this.#failure ??= this.#abandon(error, explain)
    return this.#failure
  }

  async #abandon(error: unknown, explain: Explain | undefined): Promise<unknown> {
    this.#ended = true
    await this.#undo()
    if (!explain || !isDatabaseFailure(error)) return error
    try {
      return await explain(error, this.#connections.reader(this.tenant))
    } catch (second) {
      return second
    }
  }

  async #undo(): Promise<void> {
    const connection = this.#connection ?? (await this.#lending?.catch(() => undefined))
    if (!connection) return
    try {
      if (this.#committing) await this.#committing
      else if (this.#role !== '') {
        const undone = connection.command('ROLLBACK')
        connection.flush()
        await undone
      }
    } catch {
      // The connection is gone, and the transaction with it.
    }
    connection.flush()
    this.#connections.giveBack(connection)
  }
}

const hasEnded = () => new Error('the unit of work has ended')

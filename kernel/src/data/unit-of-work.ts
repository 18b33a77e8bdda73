// What is done as one: the statements of one transaction, with the audit trail and the events that go with them. It is opened
// by its first statement, commits when the function given to it returns and rolls back when it throws.
import type { AuditEntry, OutboxEvent } from './audit-outbox.ts'
import { closingStatements } from './closing-statements.ts'
import { isDatabaseFailure, uncertainCommit } from './database-failure.ts'
import { quoteName } from './sql-names.ts'
import { isPlugins, type QueryResult, type Reader, type Statement } from './statement.ts'
import type { TenantConnections } from './tenant-connections.ts'
import { type Explain, hasEnded, type Sending, Transaction } from './transaction.ts'
import type { UnitScope } from './unit-scope.ts'

export type { Explain, UnitScope }

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

class Unit implements UnitOfWork {
  readonly scope: UnitScope
  readonly tenant: string
  readonly locked = new Map<string, unknown>()
  readonly #connections: TenantConnections
  readonly #transaction: Transaction
  readonly #audits: AuditEntry[] = []
  readonly #events: OutboxEvent[] = []
  readonly #last: (() => Promise<void>)[] = []
  readonly #next: (() => void)[] = []
  /** Everything sent and not waited for; each settles, none rejects. */
  readonly #underWay: Promise<unknown>[] = []
  #isReading = false
  #ownWrites = false
  #failure: Promise<unknown> | undefined

  constructor(connections: TenantConnections, scope: UnitScope) {
    this.#connections = connections
    this.scope = scope
    this.tenant = scope.tenant
    this.#transaction = new Transaction(connections, scope, (sent, explain) => this.#track(sent, explain))
  }

  get isOpen(): boolean {
    return this.#transaction.isOpen
  }

  get hasWritten(): boolean {
    return this.#audits.length > 0 || this.#events.length > 0 || this.#ownWrites
  }

  async query(role: string, statement: Statement, explain?: Explain): Promise<QueryResult> {
    try {
      if (statement.readOnly && this.#mayReadOutside())
        return await this.#readOutside(role, statement, explain)
      return await this.#run(role, statement, { explain, awaited: true })
    } catch (error) {
      throw (await this.#failure) ?? error
    }
  }

  send(role: string, statement: Statement, explain?: Explain): void {
    // Of one that comes too late nothing is to be undone: the transaction has its end, or COMMIT is on its way.
    if (this.#transaction.isShut && !this.#failure) throw hasEnded()
    this.#track(this.#run(role, statement, { explain }))
  }

  async ownQuery(
    statement: Statement,
    { writes = false, ...options }: OwnOptions = {},
  ): Promise<QueryResult> {
    this.#ownWrites ||= writes
    try {
      return await this.#transaction.run(asLogin, statement, { ...options, awaited: true })
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
    for (const { statement, explain } of closingStatements(this.scope, this.#audits, this.#events))
      this.#track(this.#transaction.run(asLogin, statement, { explain }))
    const changed = new Set(this.#audits.map(({ module }) => module))
    const announcement = this.isOpen ? this.scope.tell?.(changed) : undefined
    const tag = await this.#transaction.commit(announcement?.command)
    if (tag === undefined) return
    await Promise.all(this.#underWay)
    if (this.#failure) throw await this.#failure
    // PostgreSQL answers COMMIT with ROLLBACK when the transaction had failed.
    if (tag !== 'COMMIT') throw new Error(`the transaction ended with ${tag}`)
    this.#transaction.giveBack()
    if (this.#events.length > 0) this.scope.emitted?.()
    for (const next of this.#next) next()
    await announcement?.settled()
  }

  /** Undoes everything and answers what to throw: the first failure of a statement, else what `work` threw. */
  async rollBack(thrown: unknown): Promise<unknown> {
    const failure = await this.#fail(thrown)
    return this.#transaction.isCommitting ? uncertainCommit(failure) : failure
  }

  /** Before the first write nothing is to be seen but what is committed, and no transaction is needed to see that. */
  #mayReadOutside(): boolean {
    return !this.isOpen && !this.#transaction.isShut && !this.#isReading
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

  #run(roleName: string, statement: Statement, sending: Sending): Promise<QueryResult> {
    // What a plugin's SQL has changed, nobody here has seen.
    if (isPlugins(statement)) this.locked.clear()
    return this.#transaction.run(quoteName(roleName), statement, sending)
  }

  #track(sent: Promise<unknown>, explain?: Explain): void {
    this.#underWay.push(sent.catch((error) => this.#fail(error, explain)))
  }

  #fail(error: unknown, explain?: Explain): Promise<unknown> {
    this.#failure ??= this.#abandon(error, explain)
    return this.#failure
  }

  async #abandon(error: unknown, explain: Explain | undefined): Promise<unknown> {
    await this.#transaction.undo()
    if (!explain || !isDatabaseFailure(error)) return error
    try {
      return await explain(error, this.#connections.reader(this.tenant))
    } catch (second) {
      return second
    }
  }
}

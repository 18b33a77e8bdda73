// One transaction of the data login, in pipeline mode: borrows its connection for its first statement, binds it to tenant
// and role in one message, and says another role where a statement needs one. Knows what is sent and in which order; that
// something failed, and what follows from it, is the unit of work's.
import { type DataConnection, pairOf } from './data-connection.ts'
import type { DatabaseFailure } from './database-failure.ts'
import { isPlugins, type QueryResult, type Reader, type Statement } from './statement.ts'
import type { TenantConnections } from './tenant-connections.ts'
import { deadlineOf, type UnitScope } from './unit-scope.ts'

/** Turns a refusal of the database into the error the caller should see. Runs after the rollback, outside the unit. */
export type Explain = (failure: DatabaseFailure, reader: Reader) => unknown

export interface Sending {
  readonly explain?: Explain | undefined
  /** Somebody waits for the answer: what was held back goes out now. */
  readonly awaited?: true
  /** Waits for no lock longer than so many milliseconds. */
  readonly lockMs?: number
}

/** Told of everything that is sent, in its order. */
type Track = (sent: Promise<unknown>, explain?: Explain) => void

export const hasEnded = (): Error => new Error('the unit of work has ended')

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

export class Transaction {
  readonly #connections: TenantConnections
  readonly #scope: UnitScope
  readonly #track: Track
  #lending: Promise<DataConnection> | undefined
  #connection: DataConnection | undefined
  /** As which it runs, as in SET ROLE; '' before it has begun. */
  #role = ''
  #committing: Promise<string> | undefined
  #isShut = false
  #isGivenBack = false

  constructor(connections: TenantConnections, scope: UnitScope, track: Track) {
    this.#connections = connections
    this.#scope = scope
    this.#track = track
  }

  /** It holds a connection, or waits for one. */
  get isOpen(): boolean {
    return this.#lending !== undefined
  }

  /** Nothing more may be sent. A handler that kept its ctx cannot write into somebody else's transaction. */
  get isShut(): boolean {
    return this.#isShut
  }

  /** COMMIT has gone out. */
  get isCommitting(): boolean {
    return this.#committing !== undefined
  }

  shut(): void {
    this.#isShut = true
  }

  /** `role` as in SET ROLE. Statements keep the order in which they came here, also while the connection is waited for. */
  run(role: string, statement: Statement, sending: Sending = {}): Promise<QueryResult> {
    if (this.#isShut) return refused()
    if (this.#connection) return this.#sendOn(this.#connection, role, statement, sending)
    return this.#borrow(role).then((connection) =>
      this.#isShut ? refused() : this.#sendOn(connection, role, statement, sending),
    )
  }

  /** COMMIT behind all that was sent, and `last` before it. The tag it is answered with; undefined when nothing was begun. */
  async commit(last?: string): Promise<string | undefined> {
    const connection = this.#connection ?? (await this.#lending)
    this.#isShut = true
    if (!connection) return undefined
    if (last !== undefined) this.#track(connection.command(last))
    this.#committing = connection.command('COMMIT')
    connection.flush()
    return this.#committing
  }

  /** After ROLLBACK, or when the COMMIT under way has been answered. Never rejects. */
  async undo(): Promise<void> {
    this.#isShut = true
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
    this.giveBack()
  }

  /** Once: somebody else may have it by the second time. */
  giveBack(): void {
    if (!this.#connection || this.#isGivenBack) return
    this.#isGivenBack = true
    this.#connections.giveBack(this.#connection)
  }

  #borrow(role: string): Promise<DataConnection> {
    if (this.#lending) return this.#lending
    this.#lending = this.#connections.lend(role, this.#scope.tenant, deadlineOf(this.#scope))
    // The first to hear of it, or a later statement would overtake those that wait for the connection.
    this.#lending.then(
      (connection) => {
        this.#connection = connection
      },
      () => undefined,
    )
    return this.#lending
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
    const isTheirs = isPlugins(statement)
    if (isTheirs) connection.taint(pairOf(role, this.#scope.tenant))
    if (statement.inReadOnly) this.#track(connection.command(beginReadOnly))
    if (lockMs !== undefined) this.#track(connection.command(`SET LOCAL lock_timeout = ${lockMs}`))
    const result = connection.run(statement)
    // Here and not further out: after an error everything behind it fails too, and the first must be heard first.
    this.#track(result, explain)
    if (statement.inReadOnly) this.#track(connection.command(endReadOnly))
    if (lockMs !== undefined) this.#track(connection.command('SET LOCAL lock_timeout TO DEFAULT'))
    if (awaited) connection.flush()
    return isTheirs ? result.then((answer) => checkedInside(connection, answer)) : result
  }

  /** One message: BEGIN with what binds the transaction, so that nothing can run in between. */
  #begin(connection: DataConnection, role: string): void {
    const { tenant, readOnly, task } = this.#scope
    const cleaned = connection.cleanFor(pairOf(role, tenant))
    if (cleaned) this.#track(cleaned)
    const setting = connection.tenantSetting(tenant)
    const mode = readOnly ? 'READ ONLY' : 'READ WRITE'
    const longer = task ? `${waitLonger(deadlineOf(this.#scope))};` : ''
    this.#track(
      connection.command(
        `BEGIN ${mode}; ${longer} SET LOCAL ROLE ${role}; SET LOCAL plinth.tenant_id = '${setting}'`,
      ),
    )
  }
}

const refused = async (): Promise<never> => {
  throw hasEnded()
}

function checkedInside(connection: DataConnection, result: QueryResult): QueryResult {
  if (connection.inTransaction) return result
  // It got past the vetting and ended the transaction: role and tenant are no longer what we set.
  connection.destroy()
  throw new Error('a statement of a plugin ended its transaction')
}

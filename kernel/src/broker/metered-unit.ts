// A unit of work as one module sees it: each statement it asks for is counted against the request's limit before it is
// sent. What the kernel adds of its own (the transaction, audit, outbox) is not the module's.
import type { AuditEntry, OutboxEvent } from '../data/audit-outbox.ts'
import type { QueryResult, Statement } from '../data/statement.ts'
import type { Explain, OwnOptions, UnitOfWork, UnitScope } from '../data/unit-of-work.ts'
import type { Spending } from './spending.ts'

class MeteredUnit implements UnitOfWork {
  readonly #unit: UnitOfWork
  readonly #spending: Spending
  readonly #module: string
  readonly scope: UnitScope
  readonly tenant: string
  readonly locked: Map<string, unknown>

  constructor(unit: UnitOfWork, spending: Spending, module: string) {
    this.#unit = unit
    this.#spending = spending
    this.#module = module
    this.scope = unit.scope
    this.tenant = unit.tenant
    this.locked = unit.locked
  }

  get isOpen(): boolean {
    return this.#unit.isOpen
  }

  get hasWritten(): boolean {
    return this.#unit.hasWritten
  }

  async query(role: string, statement: Statement, explain?: Explain): Promise<QueryResult> {
    this.#spending.spend(this.#module, 'queries')
    return this.#unit.query(role, statement, explain)
  }

  send(role: string, statement: Statement, explain?: Explain): void {
    this.#spending.spend(this.#module, 'queries')
    this.#unit.send(role, statement, explain)
  }

  /** The kernel's own, which no module asks for. */
  async ownQuery(statement: Statement, options?: OwnOptions): Promise<QueryResult> {
    return this.#unit.ownQuery(statement, options)
  }

  beforeCommit(last: () => Promise<void>): void {
    this.#unit.beforeCommit(last)
  }

  afterCommit(next: () => void): void {
    this.#unit.afterCommit(next)
  }

  audit(entry: AuditEntry): void {
    this.#unit.audit(entry)
  }

  emit(event: OutboxEvent): void {
    this.#unit.emit(event)
  }
}

export const meteredUnit = (unit: UnitOfWork, spending: Spending, module: string): UnitOfWork =>
  new MeteredUnit(unit, spending, module)

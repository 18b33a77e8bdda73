// A unit of work as one module sees it: each statement it asks for is counted against the request's limit before it is
// sent. What the kernel adds of its own (the transaction, audit, outbox) is not the module's.
import type { UnitOfWork } from '../data/unit-of-work.ts'
import type { Spending } from './spending.ts'

export const meteredUnit = (unit: UnitOfWork, spending: Spending, module: string): UnitOfWork => ({
  scope: unit.scope,
  tenant: unit.tenant,
  locked: unit.locked,
  get isOpen() {
    return unit.isOpen
  },
  get hasWritten() {
    return unit.hasWritten
  },
  async query(role, statement, explain) {
    spending.spend(module, 'queries')
    return unit.query(role, statement, explain)
  },
  send(role, statement, options) {
    spending.spend(module, 'queries')
    unit.send(role, statement, options)
  },
  audit: (entry) => unit.audit(entry),
  emit: (event) => unit.emit(event),
  afterCommit: (callback) => unit.afterCommit(callback),
})

// The unit of work of a request that is to be carried out once: its claim goes before everything else, its answer behind
// everything else, in the one transaction.
import { claimLockMs, type IdempotentRequest, type KeptAnswer } from '../../data/idempotent-request.ts'
import type { TenantConnections } from '../../data/tenant-connections.ts'
import { type UnitOfWork, type UnitScope, withUnitOfWork } from '../../data/unit-of-work.ts'

interface Claiming<T> {
  readonly connections: TenantConnections
  readonly scope: UnitScope
  readonly request: IdempotentRequest | undefined
  readonly answer: ((result: T) => KeptAnswer) | undefined
}

export async function withClaim<T>(
  { connections, scope, request, answer }: Claiming<T>,
  work: (unit: UnitOfWork) => Promise<T>,
): Promise<T> {
  if (!request?.mayClaim()) return withUnitOfWork(connections, scope, work)
  let isCommitted = false
  try {
    const result = await withUnitOfWork(connections, scope, async (unit) => {
      await request.claim(
        async (statement) => (await unit.ownQuery(statement, { lockMs: claimLockMs })).rowCount,
      )
      const done = await work(unit)
      if (answer)
        await request.keep(answer(done), async (statement) => (await unit.ownQuery(statement)).rowCount)
      return done
    })
    isCommitted = true
    return result
  } finally {
    request.settle(isCommitted)
  }
}

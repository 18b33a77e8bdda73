import type { KeptAnswer } from '../../data/idempotent-request.ts'
import type { RunControl } from '../../tenants/control-transaction.ts'

/**
 * `runControl` whose transaction keeps the answer as well, for a request with an Idempotency-Key. `answer` is given what the
 * transaction returns. Routes without it keep their answer right after the commit.
 */
export const keeping =
  <Result>(runControl: RunControl, answer: (result: Result) => KeptAnswer): RunControl =>
  (work) =>
    runControl(async (tx) => {
      const result = await work(tx)
      await tx.keep(() => answer(result as Result))
      return result
    })

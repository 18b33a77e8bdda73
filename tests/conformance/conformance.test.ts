// Handlers, ctx and values in both runtimes.
import t from 'tap'
import { concurrencyCases } from './cases/concurrency.ts'
import { contextCases } from './cases/context.ts'
import { failureCases } from './cases/failures.ts'
import { handlerCases } from './cases/handlers.ts'
import { recordCases } from './cases/records.ts'
import { valueCases } from './cases/values.ts'
import { compareRuntimes } from './compare-runtimes.ts'

t.test('the sandbox and the kernel’s own process give the same answers', (t) =>
  compareRuntimes(t, [
    ...handlerCases,
    ...contextCases,
    ...recordCases,
    ...failureCases,
    ...valueCases,
    ...concurrencyCases,
  ]),
)

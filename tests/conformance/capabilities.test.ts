// What reaches beyond records, and the limits of it, in both runtimes.
import t from 'tap'
import { approvalCases } from './cases/approvals.ts'
import { globalCases } from './cases/globals.ts'
import { jobCases } from './cases/jobs.ts'
import { limitCases } from './cases/limits.ts'
import { outsideCases } from './cases/outside.ts'
import { sqlCases } from './cases/sql.ts'
import { timerCases } from './cases/timers.ts'
import { compareRuntimes } from './compare-runtimes.ts'

t.test('capabilities and limits are the same in the sandbox and in the kernel’s own process', (t) =>
  compareRuntimes(t, [
    ...sqlCases,
    ...outsideCases,
    ...approvalCases,
    ...jobCases,
    ...globalCases,
    ...timerCases,
    ...limitCases,
  ]),
)

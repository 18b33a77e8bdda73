// One suite over both runtimes: every case is asked of a kernel whose plugins run in the sandbox and of one whose
// plugins run in process, and all that can be seen of it must be the same.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { recordingLog } from '../support/recording-log.ts'
import type { Case, Step } from './case.ts'
import { concurrencyCases } from './cases/concurrency.ts'
import { contextCases } from './cases/context.ts'
import { failureCases } from './cases/failures.ts'
import { handlerCases } from './cases/handlers.ts'
import { recordCases } from './cases/records.ts'
import { valueCases } from './cases/values.ts'
import { openStage, runCase, type Seen } from './observe.ts'
import { helper, subject } from './subject.ts'

const cases: readonly Case[] = [
  ...handlerCases,
  ...contextCases,
  ...recordCases,
  ...failureCases,
  ...valueCases,
  ...concurrencyCases,
]
const packages = ['@test/helper', '@test/subject']
const runtimes = { sandbox: [], 'in process': packages }

const bare = (seen: Seen) =>
  seen.replies.map(({ status, body }) => ({
    status,
    code: typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined,
  }))

t.test('the sandbox and the kernel’s own process give the same answers', async (t) => {
  const root = await makeInstallation(t, {
    '@test/helper': { source: helper },
    '@test/subject': { source: subject(cases) },
  })
  const stages = await Promise.all(
    Object.entries(runtimes).map(async ([name, trustedPlugins]) => {
      const { log, lines } = recordingLog()
      const kernel = await testKernel(t, { pluginsRoot: root, trustedPlugins }, { log })
      t.same(kernel.kernel.registry.refusals, [], `${name}: nothing is refused`)
      return { name, stage: await openStage(kernel, lines) }
    }),
  )

  for (const [index, one] of cases.entries()) {
    await t.test(one.name, async (t) => {
      const asked = stages.filter(({ name }) => one.only === undefined || one.only.runtime === name)
      const seen = await Promise.all(asked.map(({ stage }) => runCase(stage, one, index)))
      const steps: readonly Step[] = one.steps.flat()
      for (const [which, found] of seen.entries()) {
        const { name } = asked[which] ?? { name: '' }
        for (const [at, { status, has }] of steps.entries()) {
          const reply = found.replies[at]
          t.equal(reply?.status, status, `${name}: ${reply?.text ?? 'no reply'}`.slice(0, 600))
          if (has !== undefined) t.match(reply?.body, has, name)
        }
      }
      const [sandbox, inProcess] = seen
      if (!sandbox || !inProcess) return
      if (one.differs) t.same(bare(inProcess), bare(sandbox), one.differs)
      else t.equal(inProcess.record, sandbox.record)
    })
  }
})

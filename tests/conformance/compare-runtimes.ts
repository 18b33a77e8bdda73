// Asks every case of a kernel whose plugins run in the sandbox and of one whose plugins run in process, at once: all that
// can be seen of it must be the same.
import type { Test } from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { makeOutsideWorld } from '../support/outside-world.ts'
import { recordingLog } from '../support/recording-log.ts'
import type { Case, Step } from './case.ts'
import { openStage, runCase, type Seen } from './observe.ts'
import { helper, subject } from './subject.ts'

const packages = ['@test/helper', '@test/subject']
const runtimes = { sandbox: [], 'in process': packages }

const bare = (seen: Seen) =>
  seen.replies.map(({ status, body }) => ({
    status,
    code: typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined,
  }))

/** A module has 200 routes at most, and each case is one. */
export async function compareRuntimes(t: Test, cases: readonly Case[]): Promise<void> {
  const root = await makeInstallation(t, {
    '@test/helper': { source: helper },
    '@test/subject': { source: subject(cases) },
  })
  const { world } = await makeOutsideWorld(t)
  const stages = await Promise.all(
    Object.entries(runtimes).map(async ([name, trustedPlugins]) => {
      const { log, lines } = recordingLog()
      const kernel = await testKernel(t, { pluginsRoot: root, trustedPlugins }, { log, world })
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
}

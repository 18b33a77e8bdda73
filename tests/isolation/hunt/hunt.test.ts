// Two tenants on one kernel hunt each other over every route there is. That it would find something:
// layers-down.test.ts and permissions-down.test.ts.
import t from 'tap'
import { hunt, said, unanswered } from './run-hunt.ts'
import { setScene } from './scene.ts'

const seed = Number(process.env['HUNT_SEED'] ?? 20_261_121)
/** .ci/run makes 50,000 with scripts/hunt.ts; who waits for his tests has less time. */
const calls = Number(process.env['HUNT_CALLS'] ?? 4_000)

t.test('two tenants hunt each other', async (t) => {
  const scene = await setScene(t, seed)
  const kernel = await scene.open([])

  await t.test('nothing of the other tenant is told or changed over every route', async (t) => {
    const report = await hunt(kernel, scene, { seed, calls, print: (line) => t.comment(line) })
    t.comment(`seed ${seed}: ${report.calls} calls in ${report.seconds.toFixed(1)} s`)
    for (const [key, { ok, all }] of report.routes) t.comment(`${ok} of ${all} ${key}`)
    t.same(said(report), [])
    t.same(unanswered(report), [], 'every route was answered')
  })
})

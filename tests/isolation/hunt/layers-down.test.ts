// The hunt with one layer of SQL down at a time, which must be found: otherwise it looks at nothing.
import t from 'tap'
import { hunt, said } from './run-hunt.ts'
import { setScene } from './scene.ts'

const seed = Number(process.env['HUNT_SEED'] ?? 20_261_121)

t.test('two tenants hunt each other with one layer of SQL down', async (t) => {
  const scene = await setScene(t, seed)
  const kernel = await scene.open([])

  await t.test('without the policies it finds what a report in SQL tells', async (t) => {
    const report = await hunt(kernel, scene, { seed, calls: 3_000, layers: 'no policies', enough: 3 })
    t.match(said(report).join('\n'), /told a text of the other tenant.*(every|count|trial-balance)/s)
  })

  await t.test('without tenantCondition the policies hold, and without both it finds records', async (t) => {
    const open = await scene.open(['tenantCondition'])
    t.same(said(await hunt(open, scene, { seed, calls: 1_000, layers: 'as it is', isAsked: true })), [])
    const report = await hunt(open, scene, {
      seed,
      calls: 5_000,
      layers: 'statements alone',
      enough: 3,
      isAsked: true,
    })
    t.match(said(report).join('\n'), /told a text of the other tenant/)
    await open.close()
  })
})

// The hunt with one layer down at a time, which must be found: otherwise it looks at nothing.
import t from 'tap'
import type { Defence } from '../../../kernel/src/defences.ts'
import { type HuntReport, hunt } from './run-hunt.ts'
import { setScene } from './scene.ts'

const seed = Number(process.env['HUNT_SEED'] ?? 20_261_121)

const said = ({ findings }: HuntReport) => findings.map(({ what, call }) => `${what}\n    ${call}`)

const layers: readonly (readonly [layer: Defence, finds: RegExp])[] = [
  ['membership', /told a text of the other tenant|rows of the other tenant changed|let a member/],
  ['entitlement', /which the tenant has not got/],
  ['ability', /let a member do/],
]

t.test('two tenants hunt each other with one layer down', async (t) => {
  const scene = await setScene(t, seed)
  const kernel = await scene.open([])

  await t.test('without the policies it finds what a report in SQL tells', async (t) => {
    const report = await hunt(kernel, scene, { seed, calls: 3_000, layers: 'no policies', enough: 3 })
    t.match(said(report).join('\n'), /told a text of the other tenant.*(every|count|trial-balance)/s)
  })

  await t.test('without tenantCondition the policies hold, and without both it finds records', async (t) => {
    const open = await scene.open(['tenantCondition'])
    t.same(said(await hunt(open, scene, { seed, calls: 2_000, layers: 'as it is' })), [])
    const report = await hunt(open, scene, { seed, calls: 5_000, layers: 'statements alone', enough: 3 })
    t.match(said(report).join('\n'), /told a text of the other tenant/)
    await open.close()
  })

  for (const [layer, finds] of layers)
    await t.test(`without ${layer} it finds what that lets through`, async (t) => {
      const open = await scene.open([layer])
      const report = await hunt(open, scene, { seed, calls: 5_000, enough: 8 })
      t.match(said(report).join('\n'), finds)
      await open.close()
    })
})

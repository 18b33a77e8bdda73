// As layers-down.test.ts, with the layers that ask who may do what.
import t from 'tap'
import type { Defence } from '../../../kernel/src/defences.ts'
import { hunt, said } from './run-hunt.ts'
import { setScene } from './scene.ts'

const seed = Number(process.env['HUNT_SEED'] ?? 20_261_121)

const layers: readonly (readonly [layer: Defence, finds: RegExp])[] = [
  ['membership', /told a text of the other tenant|rows of the other tenant changed|let a member/],
  ['entitlement', /which the tenant has not got/],
  ['ability', /let a member do/],
]

t.test('two tenants hunt each other with one layer of permissions down', async (t) => {
  const scene = await setScene(t, seed)
  // What is broken is put in order by one that has all layers; it finds nothing while it gets to know the place.
  t.same(said(await hunt(await scene.open([]), scene, { seed, calls: 1 })), [])

  for (const [layer, finds] of layers)
    await t.test(`without ${layer} it finds what that lets through`, async (t) => {
      const open = await scene.open([layer])
      const report = await hunt(open, scene, { seed, calls: 5_000, enough: 8, isAsked: true })
      t.match(said(report).join('\n'), finds)
      await open.close()
    })
})

// The kernel is killed while it changes which version of a plugin is served: started again, it goes on where it was.
import t from 'tap'
import { crashLab } from '../support/crash-lab.ts'
import { growingVisits } from '../support/growing-visits.ts'

t.test('killed', async (t) => {
  const lab = await crashLab(t)
  const { killedAt } = lab
  const { publish, serves } = await growingVisits(lab)

  for (const change of ['field', 'rename'] as const) {
    for (const step of change === 'field' ? ['fetch', 'activate'] : ['hold', 'migrate', 'activate']) {
      await t.test(`an upgrade with another ${change}, before ${step} is noted`, async (t) => {
        const version = await publish(change)
        t.match(await killedAt(step, 'upgrade', { version }), { state: 'succeeded', error: null })
        await serves(t, version)
      })
    }
  }
})

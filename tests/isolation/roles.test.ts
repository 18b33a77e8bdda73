// Attacks on permissions through a whole kernel, and the same with walls down: then those that the wall stops succeed.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import type { Reply } from '../support/kernel.ts'
import { openDesk } from '../support/papers.ts'
import { canary, type Plot, plotWith, roleAttacks } from './role-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

const openWith = async (t: Test, ...walls: Defence[]): Promise<Plot> =>
  plotWith(await openDesk(t, { off: new Set(walls) }))

t.test('with every wall', async (t) => {
  const plot = await openWith(t)
  for (const { attack, make, expected } of roleAttacks) {
    const reply = told(await make(plot))
    t.match(reply, expected, attack)
    t.notMatch(reply, canary, attack)
  }
  t.equal((await plot.other.owner('GET', '/v1/tenant')).status, 200, 'the other tenant is as it was')
})

t.test('without ability, ownGrants or recordDuties what they stop succeeds', async (t) => {
  const plot = await openWith(t, 'ability', 'ownGrants', 'recordDuties')
  for (const { attack, make, without } of roleAttacks)
    if (without) t.match(told(await make(plot)), without[1], attack)
})

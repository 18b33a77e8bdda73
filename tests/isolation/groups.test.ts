// Attacks by way of groups through a whole kernel, and the same with a wall down: then those that it stops succeed.
import t from 'tap'
import { type Reply, testKernel } from '../support/kernel.ts'
import { makeSamlKeys } from '../support/saml-keys.ts'
import { groupAttacks, setGroupScene } from './group-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

t.test('with every wall', async (t) => {
  const scene = await setGroupScene(await testKernel(t), await makeSamlKeys())
  for (const { attack, make, expected } of groupAttacks) t.match(told(await make(scene)), expected, attack)
  const { rows } = await scene.place.database.admin.query('select from kernel.member_role')
  t.equal(rows.length, 0, 'and nobody has anything of it')
})

t.test('without ownGrants what it stops succeeds', async (t) => {
  const off = new Set(['ownGrants'] as const)
  const scene = await setGroupScene(await testKernel(t, {}, { off }), await makeSamlKeys())
  for (const { attack, make, without } of groupAttacks)
    if (without) t.match(told(await make(scene)), without[1], attack)
})

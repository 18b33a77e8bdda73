// Attacks on single sign-on through a whole kernel, and the same with walls down: then those that the wall stops succeed.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { type Reply, testKernel } from '../support/kernel.ts'
import { type Scene, setScene, signIn, ssoAttacks } from './single-sign-on-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

async function open(t: Test, ...walls: Defence[]): Promise<Scene> {
  const provider = await startHostileProvider(t)
  const kernel = await testKernel(t, { plainHosts: [provider.host] }, { off: new Set(walls) })
  return setScene(kernel, provider)
}

t.test('with every wall', async (t) => {
  const scene = await open(t)
  t.match(await signIn(scene), { status: 200, body: { user: { email: 'ann@captured.example' } } }, 'who may')
  for (const { attack, make, expected } of ssoAttacks) t.match(told(await make(scene)), expected, attack)
  t.match(await signIn(scene), { status: 200 }, 'who may, still')
  const { rows } = await scene.place.database.admin.query(
    `select c::text from kernel.sso_connection c
      where position('secret of the client' in encode(c.sealed_secret, 'escape')) > 0`,
  )
  t.same(rows, [], 'the client secret is sealed')
})

const walls = ['ssoBrowser', 'ssoEmail', 'ssoConfinement', 'ssoEnforcement'] as const
t.test(`without ${walls.join(', ')} what they stop succeeds`, async (t) => {
  const scene = await open(t, ...walls)
  for (const { attack, make, without } of ssoAttacks)
    if (without) t.match(told(await make(scene)), without[1], attack)
})

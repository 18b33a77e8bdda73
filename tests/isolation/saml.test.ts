// Attacks on SAML through a whole kernel, and the same with walls down: then those that the wall stops succeed.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { type Reply, testKernel } from '../support/kernel.ts'
import { makeSamlKeys } from '../support/saml-keys.ts'
import { issuer, type SamlScene, samlAttacks, signInAs } from './saml-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

async function open(t: Test, ...walls: Defence[]): Promise<SamlScene> {
  const place = await testKernel(t, {}, { off: new Set(walls) })
  const [tenant, enemy] = [await place.openTenant(), await place.openTenant()]
  const [keys, enemyKeys] = [await makeSamlKeys(), await makeSamlKeys()]
  await place.database.admin.query(
    "insert into kernel.sso_domain (tenant_id, domain, challenge, verified_at) values ($1, 'captured.example', 'x', now())",
    [tenant.id],
  )
  for (const [{ owner }, { certificate }] of [
    [tenant, keys],
    [enemy, enemyKeys],
  ] as const) {
    const connected = await owner('PUT', '/v1/tenant/sso/saml', {
      issuer,
      entryPoint: 'https://idp.example/sso',
      certificates: [certificate],
      justInTime: true,
    })
    if (connected.status !== 200) throw new Error(JSON.stringify(connected.body))
  }
  return { place, tenant, keys, enemy, enemyKeys }
}

t.test('with every wall', async (t) => {
  const scene = await open(t)
  for (const sign of ['assertion', 'response', 'both', 'as files have it'] as const)
    t.match(
      await signInAs(scene, sign),
      { status: 200, body: { user: { email: 'ann@captured.example' } } },
      sign,
    )
  for (const { attack, make, expected } of samlAttacks) {
    const began = performance.now()
    t.match(told(await make(scene)), expected, attack)
    t.ok(performance.now() - began < 3_000, 'and costs little')
  }
  t.match(await signInAs(scene, 'both'), { status: 200 }, 'who may, still')
  const { rows } = await scene.place.database.admin.query<{ email: string }>(
    `select u.email from kernel.membership m join identity."user" u on u.id = m.user_id
      where m.tenant_id = $1 and m.role <> 'owner'`,
    [scene.tenant.id],
  )
  t.same(rows, [{ email: 'ann@captured.example' }], 'and nobody else came in')
})

const walls = ['ssoBrowser', 'ssoEmail', 'samlUse'] as const
t.test(`without ${walls.join(', ')} what they stop succeeds`, async (t) => {
  const scene = await open(t, ...walls)
  for (const { attack, make, without } of samlAttacks)
    if (without) t.match(told(await make(scene)), without[1], attack)
})

// Attacks with keys and tokens through a whole kernel, and the same with walls down: then those that the wall stops succeed.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { type Reply, sender, testKernel } from '../support/kernel.ts'
import { credentialAttacks } from './credential-attacks.fixture.ts'
import { bearing, openVault, type Vault } from './vault.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

const openWith = async (t: Test, ...walls: Defence[]): Promise<Vault> =>
  openVault(await testKernel(t, {}, { off: new Set(walls) }))

t.test('with every wall', async (t) => {
  const vault = await openWith(t)
  for (const { attack, make, expected } of credentialAttacks)
    t.match(told(await make(vault)), expected, attack)

  const { keys, access, place, enemy, victim } = vault
  for (const good of [keys.whole, keys.narrow, access])
    t.equal(
      (await sender(place.kernel, bearing(good))('GET', '/v1/finance/accounts')).status,
      200,
      'still good',
    )
  for (const token of Object.values(keys).concat(access)) {
    const { rows } = await place.database.admin.query<{ found: number }>(
      `select count(*)::int as found from kernel.api_key k
        where position($1 in k::text) > 0 or encode(k.hash, 'escape') = $1`,
      [token.slice(21)],
    )
    t.equal(rows[0]?.found, 0, 'no key stands in the database')
  }
  t.equal((await enemy.owner('GET', '/v1/tenant')).status, 200)
  t.equal((await victim.owner('GET', '/v1/tenant')).status, 200)
})

t.test('without keyCheck, keyScopes or refreshReuse what they stop succeeds', async (t) => {
  const walls = ['keyCheck', 'keyScopes', 'refreshReuse'] as const
  const vault = await openWith(t, ...walls)
  for (const { attack, make, without } of credentialAttacks)
    if (without && walls.some((wall) => wall === without[0]))
      t.match(told(await make(vault)), without[1], attack)
})

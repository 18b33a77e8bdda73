// A secret belongs to the host that the tenant gave it for: a later version that names another one does not get it there.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'
import { makeOutsideWorld } from '../support/outside-world.ts'
import { startReleases } from '../support/releases.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const hosts = ['api.bank.example', 'cdn.bank.example']
const [first = '', second = ''] = hosts
const value = 'the key of the bank'

const sending = (version: string, host: string) =>
  visits(version, {
    routes: `pay: {
      method: 'POST', path: '/pay',
      run: async (ctx) => ({ status: (await ctx.http.fetch('https://${host}/echo', { headers: { authorization: ctx.secrets.bankKey.bearer() } })).status }),
    },`,
    rest: `needs: { http: ${JSON.stringify(hosts)}, secrets: { bankKey: { title: 'Key', host: '${host}' } } },`,
  })

/** A tenant that gave its key for the first host, and is served a version that names the second. */
async function moved(t: Test, off: readonly Defence[] = []) {
  const releases = await startReleases(t)
  const outside = await makeOutsideWorld(t)
  const pluginsRoot = await makeInstallation(t, {})
  const kernel = await testKernel(
    t,
    { pluginsRoot, registry: releases.registry.url, operatorToken },
    { off: new Set(off), world: outside.world },
  )
  const operator = operatorOf(kernel.send)
  await releases.publish({ name, version: '1.0.0', source: sending('1.0.0', first) })
  t.match(await operator('POST', '/v1/operator/plugins', { package: name }), { body: { state: 'succeeded' } })
  const { owner, id } = await kernel.openTenant()
  await owner('POST', '/v1/tenant/modules', { module: 'visits', consent: { http: hosts } })
  const setKey = () => owner('PUT', '/v1/tenant/secrets/visits/bankKey', { value })
  t.match(await setKey(), { status: 204 })
  t.match(await owner('POST', '/v1/visits/pay'), { body: { status: 200 } })
  await releases.publish({ name, version: '1.1.0', source: sending('1.1.0', second) })
  const upgrade = '/v1/operator/plugins/visits/upgrade'
  t.match(await operator('POST', upgrade, { version: '1.1.0', dryRun: true }), {
    body: { newAsks: [`secrets: bankKey -> ${second}`] },
  })
  t.match(await operator('POST', upgrade, { version: '1.1.0' }), { body: { state: 'succeeded' } })
  return { owner, id, setKey, outside, admin: kernel.database.admin }
}

t.test('a secret is not sent to a host that a later version names for it', async (t) => {
  const { owner, id, setKey, outside, admin } = await moved(t)
  t.match(await owner('POST', '/v1/visits/pay'), { status: 409, body: { code: 'SECRET_NOT_SET' } })
  const list = () => owner('GET', '/v1/tenant/secrets/visits')
  t.match(await list(), { body: { items: [{ name: 'bankKey', host: second, isSet: false, setFor: first }] } })

  // Whoever can write to the table has no use of that: the host is sealed in.
  await admin.query('update kernel.module_secret set host = $1 where tenant_id = $2', [second, id])
  t.match(await owner('POST', '/v1/visits/pay'), { body: { code: 'INTERNAL' } })
  t.notOk(
    outside.outer.some((line) => line.includes(second)),
    'nothing was asked of the new host',
  )

  t.match(await setKey(), { status: 204 })
  t.match(await list(), { body: { items: [{ host: second, isSet: true }] } })
  t.match(await owner('POST', '/v1/visits/pay'), { body: { status: 200 } })
  t.equal(outside.latest()['authorization'], `Bearer ${value}`)
})

t.test('with hostGrant down the new host gets it', async (t) => {
  const { owner, outside } = await moved(t, ['hostGrant'])
  t.match(await owner('POST', '/v1/visits/pay'), { body: { status: 200 } })
  t.match(outside.outer.at(-1), second)
  t.equal(outside.latest()['authorization'], `Bearer ${value}`)
})

// An upgrade that failed when its tables were changed in part: nobody is served what cannot work on them.
import t from 'tap'
import { operatedKernel } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const plugins = '/v1/operator/plugins'

t.test('a module whose tables were changed in part', async (t) => {
  const { operator, releases, openTenant, database } = await operatedKernel(t)
  const fields = 'code: t.text().range(1, 20),'
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0', { fields }) })
  t.match((await operator('POST', plugins, { package: name })).body, { state: 'succeeded' })
  const { owner, slug } = await openTenant('visits')
  for (const who of ['Ada', 'Bob'])
    t.match(await owner('POST', '/v1/visits/visits', { who, code: 'same' }), { status: 201 })
  await releases.publish({
    name,
    version: '1.1.0',
    source: visits('1.1.0', { who: 'guest', fields: 'code: t.text().range(1, 20).unique(),' }),
    wishes: { rename: ['visit.who=visit.guest'] },
  })
  const upgrade = () => operator('POST', `${plugins}/visits/upgrade`, { version: '1.1.0' })
  t.match((await upgrade()).body, { state: 'failed' })
  t.match((await operator('GET', `${plugins}/visits`)).body, { state: 'disabled', stable: '1.0.0' })

  const refusal = /cannot work on the tables as they are now.*begun and not finished/
  await t.test('is not enabled, and the plan says so', async (t) => {
    t.match((await operator('POST', `${plugins}/visits/enable`, { dryRun: true })).body, {
      refusals: [refusal],
    })
    t.match((await operator('POST', `${plugins}/visits/enable`)).body, {
      state: 'failed',
      error: { code: 'PLUGIN_CHANGE_REFUSED', message: refusal },
    })
    t.match((await operator('GET', `${plugins}/visits`)).body, { state: 'disabled', stable: '1.0.0' })
  })

  await t.test('has no tenant pinned to what it was', async (t) => {
    t.match(await operator('PUT', `/v1/operator/tenants/${slug}/modules/visits`, { version: '1.0.0' }), {
      status: 409,
      body: { code: 'PLUGIN_CHANGE_REFUSED', detail: refusal },
    })
  })

  await t.test('is upgraded once its records allow it, and enabled', async (t) => {
    const { rowCount } = await database.admin.query(
      `UPDATE plugin_visits.visit SET code = 'other' WHERE id = (SELECT id FROM plugin_visits.visit LIMIT 1)`,
    )
    t.equal(rowCount, 1)
    t.match((await upgrade()).body, { state: 'succeeded', error: null })
    t.match((await operator('POST', `${plugins}/visits/enable`)).body, { state: 'succeeded' })
    const { body } = await owner('GET', '/v1/visits/visits')
    t.equal((body['items'] as unknown[]).length, 2)
  })
})

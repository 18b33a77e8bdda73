// A tenant is given a version while the tables of the module are about to change.
import pg from 'pg'
import t from 'tap'
import { operationGate } from '../support/operation-gate.ts'
import { operatedKernel } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const plugins = '/v1/operator/plugins'

t.test('a pin while an operation on the module is under way is refused', async (t) => {
  const { operator, releases, openTenant, database } = await operatedKernel(t)
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  t.match((await operator('POST', plugins, { package: name })).body, { state: 'succeeded' })
  const { owner, slug } = await openTenant('visits')
  t.match(await owner('POST', '/v1/visits/visits', { who: 'Ada' }), { status: 201 })
  await releases.publish({
    name,
    version: '1.1.0',
    source: visits('1.1.0', { who: 'guest' }),
    wishes: { rename: ['visit.who=visit.guest'] },
  })
  const admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  t.teardown(() => admin.end())
  const gate = await operationGate(admin)
  await gate.close('hold')
  const upgraded = operator('POST', `${plugins}/visits/upgrade`, { version: '1.1.0' })
  await gate.reached()
  const pin = await operator('PUT', `/v1/operator/tenants/${slug}/modules/visits`, { version: '1.0.0' })
  await gate.open()
  t.match(pin, { status: 409, body: { code: 'OPERATION_UNDER_WAY' } })
  t.match((await upgraded).body, { state: 'succeeded' })
  t.match(await owner('GET', '/v1/visits/visits'), { status: 200, body: { items: [{ guest: 'Ada' }] } })
})

// A canary is for somebody, for as long as it was asked for, and nobody's silence is taken for success.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { operatedKernel } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const plugins = '/v1/operator/plugins'

t.test('a canary', async (t) => {
  const { operator, releases, openTenant, database } = await operatedKernel(t)
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  t.match((await operator('POST', plugins, { package: name })).body, { state: 'succeeded' })
  const tenant = await openTenant('visits')
  await releases.publish({ name, version: '1.1.0', source: visits('1.1.0') })
  const upgrade = (canary: object, more: object = {}) =>
    operator('POST', `${plugins}/visits/upgrade`, { version: '1.1.0', canary, ...more })

  await t.test('names who tries it, and tenants that there are', async (t) => {
    for (const more of [{}, { dryRun: true }]) {
      for (const [canary, field] of [
        [{ minutes: 1 }, 'canary.percent'],
        [{ minutes: 1, percent: 0, tenants: [] }, 'canary.percent'],
        [{ minutes: 1, tenants: [tenant.slug, 'no-such-tenant'] }, 'canary.tenants.1'],
      ] as const)
        t.match(
          await upgrade(canary, more),
          { status: 422, body: { code: 'VALIDATION', errors: [{ field }] } },
          field,
        )
    }
  })

  await t.test('that nobody tried has failed', async (t) => {
    t.match((await upgrade({ minutes: 0.01, tenants: [tenant.slug] })).body, {
      state: 'failed',
      error: { code: 'CANARY_FAILED', message: /^Nobody tried version 1\.1\.0/ },
    })
    t.match((await operator('GET', `${plugins}/visits`)).body, { stable: '1.0.0', candidate: null })
  })

  await t.test('is cancelled by its operation, and only while it goes on', async (t) => {
    const ending = upgrade({ minutes: 5, percent: 100 })
    const version = async () => (await tenant.owner('GET', '/v1/visits/version')).body['version']
    for (let looks = 0; looks < 500 && (await version()) !== '1.1.0'; looks += 1) await sleep(20)
    t.equal(await version(), '1.1.0')
    const { items } = (await operator('GET', '/v1/operator/operations?limit=1')).body
    const [{ id } = { id: '' }] = items as { id: string }[]
    const cancel = () => operator('POST', `/v1/operator/operations/${id}/cancel`)
    const cancelled = {
      state: 'failed',
      error: { code: 'OPERATION_CANCELLED', message: /cancelled by operator/ },
    }
    t.match((await cancel()).body, cancelled)
    t.match((await ending).body, cancelled)
    t.equal(await version(), '1.0.0')
    const audited = await database.admin.query(`SELECT after FROM kernel.audit WHERE action = 'cancel'`)
    t.match(audited.rows, [{ after: { operation: id } }])
    t.match((await operator('GET', `${plugins}/visits`)).body, { stable: '1.0.0', candidate: null })
    t.match(await cancel(), { status: 409, body: { code: 'PLUGIN_CHANGE_REFUSED' } })
  })

  await t.test('lasts from when it began, however long the steps before took', async (t) => {
    const { admin } = database
    await admin.query(`
      CREATE FUNCTION public.long_ago() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN new.created_at := now() - interval '10 minutes'; RETURN new; END $$;
      CREATE TRIGGER long_ago BEFORE INSERT ON kernel.plugin_operation FOR EACH ROW EXECUTE FUNCTION public.long_ago()`)
    const ending = upgrade({ minutes: 0.05, percent: 100 })
    const seen = new Set<unknown>()
    let isOver = false
    void ending.finally(() => {
      isOver = true
    })
    while (!isOver) seen.add((await tenant.owner('GET', '/v1/visits/version')).body['version'])
    const { body } = await ending
    t.match(body, { state: 'succeeded' })
    t.ok(Number((body['result'] as { canary?: { requests: number } }).canary?.requests) > 0)
    t.ok(seen.has('1.1.0'))
  })
})

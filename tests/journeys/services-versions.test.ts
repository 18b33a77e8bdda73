// Modules that need each other in a range of versions: what is refused when a tenant switches one on, is given another
// version of it, and when an operator upgrades either or goes back; and what the refusals say would do.
import t from 'tap'
import { operatedKernel } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const desk = '@acme/desk'
const plugins = '/v1/operator/plugins'

const told = (version: string) =>
  visits(version, {
    rest: `services: { which: { input: {}, returns: { version: t.text() }, run: () => ({ version: '${version}' }) } },`,
  })
const asking = (version: string, range: string, optional = false) =>
  visits(version, {
    name: 'desk',
    rest: `uses: { visits: use('${range}'${optional ? ', { optional: true }' : ''}) },`,
    routes: `ask: { method: 'GET', path: '/ask', run: (ctx) => ctx.uses.visits?.which({}) ?? 'nobody' },`,
  })

t.test('versions that need each other', async (t) => {
  const { operator, releases, openTenant } = await operatedKernel(t)
  const { publish } = releases
  const release = async (of: string, version: string, source: string) => {
    await publish({ name: of, version, source })
  }
  const install = (body: object) => operator('POST', plugins, body)
  const upgrade = (module: string, body: object) => operator('POST', `${plugins}/${module}/upgrade`, body)
  const choose = (tenant: { slug: string }, module: string, body: object) =>
    operator('PUT', `/v1/operator/tenants/${tenant.slug}/modules/${module}`, body)
  const succeeded = { body: { state: 'succeeded' } }
  const failed = (message: RegExp) => ({
    body: { state: 'failed', error: { code: 'MODULE_NEEDS_UNMET', message } },
  })
  const refused = (detail: RegExp) => ({ status: 409, body: { code: 'MODULE_NEEDS_UNMET', detail } })

  await release(name, '1.0.0', told('1.0.0'))
  await release(name, '2.0.0', told('2.0.0'))
  await release(desk, '1.0.0', asking('1.0.0', '^1'))
  await release(desk, '1.5.0', asking('1.5.0', '^1.5'))
  await release(desk, '2.0.0', asking('2.0.0', '^1 || ^2'))
  await release(desk, '3.0.0', asking('3.0.0', '^2'))
  t.match(await install({ package: name, version: '1.0.0' }), succeeded)

  await t.test('an installation says what it needs, and that nothing here would do', async (t) => {
    t.match(
      await install({ package: desk, version: '1.5.0' }),
      failed(
        /needs the module 'visits' \^1\.5, and 1\.0\.0 is installed\. No version of 'visits' .* install one within \^1\.5\./,
      ),
    )
    t.match(await install({ package: desk, version: '1.0.0' }), succeeded)
  })
  const [ada, bob, eve] = [
    await openTenant('visits', 'desk'),
    await openTenant('visits', 'desk'),
    await openTenant('visits'),
  ]

  await t.test('an upgrade of what is needed, with the versions of either that would do', async (t) => {
    const first = /'desk' needs 'visits' \^1, and this is 2\.0\.0\. What would do: 'visits' 1\.0\.0\./
    t.match(await upgrade('visits', { version: '2.0.0' }), failed(first))
    t.match(await upgrade('desk', { version: '2.0.0', channel: 'beta' }), succeeded)
    const both = /What would do: 'visits' 1\.0\.0; 'desk' 2\.0\.0\./
    t.match(await upgrade('visits', { version: '2.0.0' }), failed(both))
    t.match((await upgrade('visits', { version: '2.0.0', dryRun: true })).body['refusals'], [both])
  })

  await t.test('an upgrade that one tenant’s pin could not live with', async (t) => {
    t.match(await choose(bob, 'desk', { version: '1.0.0' }), { status: 200 })
    t.match(await upgrade('desk', { version: '2.0.0' }), succeeded)
    const needs = new RegExp(
      `'desk' 1\\.0\\.0 needs 'visits' \\^1, and for the tenant '${bob.slug}' it is 2\\.0\\.0\\. What would do: .*'desk' 2\\.0\\.0`,
    )
    t.match(await upgrade('visits', { version: '2.0.0' }), failed(needs))
    t.match((await upgrade('visits', { version: '2.0.0', dryRun: true })).body['refusals'], [needs])
    t.match(await choose(bob, 'visits', { version: '1.0.0' }), { status: 200 })
    t.match(await choose(eve, 'visits', { version: '1.0.0' }), { status: 200 })
    t.match(await upgrade('visits', { version: '2.0.0' }), succeeded, 'who is pinned in both is content')
    t.match((await bob.owner('GET', '/v1/desk/ask')).body, { version: '1.0.0' })
    t.match((await ada.owner('GET', '/v1/desk/ask')).body, { version: '2.0.0' })
  })

  await t.test('a tenant’s pin, or its end, beside what the tenant has', async (t) => {
    t.match(
      await choose(ada, 'desk', { version: '1.0.0' }),
      refused(/'visits' \^1, and for .* it is 2\.0\.0/),
    )
    t.match(await choose(bob, 'visits', { version: null }), refused(/What would do: 'visits' 1\.0\.0/))
    t.match(await upgrade('desk', { version: '3.0.0', channel: 'beta' }), succeeded)
    t.match(await choose(ada, 'desk', { channel: 'beta' }), { status: 200 })
    t.match(
      await choose(bob, 'desk', { version: '3.0.0' }),
      refused(/'desk' 3\.0\.0 needs 'visits' \^2, and for .* it is 1\.0\.0/),
    )
    t.match((await bob.owner('GET', '/v1/desk/version')).body, { version: '1.0.0' }, 'nothing has changed')
  })

  await t.test('a module that a tenant switches on beside a version it is pinned to', async (t) => {
    t.match(await upgrade('desk', { version: '3.0.0' }), succeeded)
    t.match(
      await eve.owner('POST', '/v1/tenant/modules', { module: 'desk' }),
      refused(
        /'desk' 3\.0\.0 needs 'visits' \^2, and for this tenant it is 1\.0\.0\. What would do: 'visits' 2\.0\.0; 'desk' 2\.0\.0 or 1\.0\.0\./,
      ),
    )
    t.match((await eve.owner('GET', '/v1/tenant/modules')).body['items'], [{ module: 'visits' }])
    t.match(await choose(eve, 'visits', { version: null }), { status: 200 })
    t.match(await eve.owner('POST', '/v1/tenant/modules', { module: 'desk' }), { status: 201 })
  })

  await t.test('a rollback of what is needed, and a module enabled again', async (t) => {
    const needs =
      /'desk' needs 'visits' \^2, and this is 1\.0\.0\. What would do: 'visits' 2\.0\.0; 'desk' 2\.0\.0 or 1\.0\.0\./
    const back = `${plugins}/visits/rollback`
    t.match((await operator('POST', back, { dryRun: true })).body['refusals'], [needs])
    t.match(await operator('POST', back), failed(needs))
    t.match(await operator('POST', `${plugins}/desk/disable`), succeeded)
    t.match(await operator('POST', back), succeeded)
    t.match(await operator('POST', `${plugins}/desk/enable`), {
      body: {
        state: 'failed',
        error: { message: /'desk' needs the module 'visits' \^2, and 1\.0\.0 is installed/ },
      },
    })
  })
})

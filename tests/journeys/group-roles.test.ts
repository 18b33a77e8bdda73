// Groups of a real identity provider give roles of the tenant's own, for as long as they say so.
import t from 'tap'
import { startIdentityProvider } from '../support/identity-provider.ts'
import { sender, testKernel } from '../support/kernel.ts'
import { openSsoPlace } from '../support/sso-place.ts'

t.test('roles by the groups of an identity provider', async (t) => {
  const idp = await startIdentityProvider(t)
  const place = await testKernel(t, { plainHosts: [idp.host] })
  const { tenant, connect, enter, role, idOf } = await openSsoPlace(place, idp)
  const { owner } = tenant
  const auditor = await role('Auditor', ['tenant.audit.read'])
  const counter = await role('Counter', ['tenant.usage.read'])
  const personal = await role('Personal', ['tenant.audit.personal'])
  const rolesOf = async (name: string) => {
    const { body } = await owner('GET', `/v1/tenant/members/${await idOf(name)}/roles`)
    return (body['items'] as { id: string; name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }
  const auditOf = async (name: string) => {
    const { rows } = await place.database.admin.query<{ action: string; after: object; before: object }>(
      `select action, before, after from kernel.audit
        where tenant_id = $1 and record_id = $2 and entity = 'member_role' order by turn, id`,
      [tenant.id, await idOf(name)],
    )
    return rows
  }

  await t.test('a connection names roles that there are and that its admin may give', async (t) => {
    const unknown = '01890000-0000-7000-8000-000000000000'
    const mapped = { groupClaim: 'groups', groupRoles: { audit: [auditor, unknown] } }
    t.match(await connect(mapped), {
      status: 422,
      body: { errors: [{ field: 'groupRoles.audit', code: 'INVALID' }] },
    })
    t.match(await connect({ groupRoles: { audit: 'owner' } }), { status: 422 }, 'nobody becomes an owner')
    t.match(await connect({ groupRoles: { audit: [] } }), { status: 422 })
    const other = await place.openTenant()
    const theirs = await other.owner('POST', '/v1/tenant/roles', { name: 'Theirs', rules: [] })
    t.match(await connect({ groupRoles: { audit: String(theirs.body['id']) } }), { status: 422 })

    const admin = await place.addMember(tenant, 'admin')
    const input = { issuer: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret }
    t.match(await admin('PUT', '/v1/tenant/sso', { ...input, groupRoles: { dpo: personal } }), {
      status: 403,
      body: { code: 'FORBIDDEN', permission: 'tenant.audit.personal' },
    })
    t.match(await connect({ groupRoles: { dpo: personal } }), { status: 200 }, 'an owner may')
    t.match(
      await admin('PUT', '/v1/tenant/sso', { ...input, groupRoles: { dpo: personal } }),
      { status: 403 },
      'nor may he put another provider under what an owner has mapped',
    )
    const groupRoles = {
      audit: auditor,
      count: [counter, 'member'],
      bosses: 'admin',
      all: [auditor, counter],
    }
    t.match(await connect({ groupClaim: 'groups', groupRoles }), { status: 200, body: { groupRoles } })
    t.match(await owner('DELETE', `/v1/tenant/roles/${auditor}`), {
      status: 409,
      body: { code: 'RECORD_IN_USE' },
    })
  })

  await t.test('who signs in has what his groups give, and in his next request no more', async (t) => {
    const { send } = await enter('ann', ['audit'])
    t.equal((await send('GET', '/v1/tenant/audit')).status, 200)
    t.equal((await send('GET', '/v1/tenant/usage')).status, 403)
    t.match(await rolesOf('ann'), [{ id: auditor, name: 'Auditor', origin: 'provider' }])
    await enter('ann', ['count', 'nothing of ours'])
    t.equal((await send('GET', '/v1/tenant/audit')).status, 403, 'in the session before too')
    t.equal((await send('GET', '/v1/tenant/usage')).status, 200)
    await enter('ann', ['all'])
    t.equal((await rolesOf('ann')).length, 2)
    await enter('ann')
    t.same(await rolesOf('ann'), [])
    t.match(await auditOf('ann'), [
      { action: 'assigned', after: { id: auditor, name: 'Auditor', by: 'single sign-on' } },
      { action: 'unassigned', before: { id: auditor } },
      { action: 'assigned', after: { id: counter } },
      { action: 'assigned', after: { id: auditor } },
      { action: 'unassigned' },
      { action: 'unassigned' },
    ])
  })

  await t.test('what was given by hand stays', async (t) => {
    const path = `/v1/tenant/members/${await idOf('ann')}/roles`
    await owner('POST', path, { role: counter })
    await enter('ann', ['all'])
    t.match(await rolesOf('ann'), [
      { id: auditor, origin: 'provider' },
      { id: counter, origin: 'hand' },
    ])
    t.equal(
      (await owner('POST', path, { role: auditor })).status,
      204,
      'what the provider gave is given by hand too',
    )
    await enter('ann', [])
    t.match(await rolesOf('ann'), [
      { id: auditor, origin: 'hand' },
      { id: counter, origin: 'hand' },
    ])
    await owner('DELETE', `${path}/${auditor}`)
    await enter('ann', ['audit'])
    const member = `/v1/tenant/members/${await idOf('ann')}`
    await owner('PATCH', member, { active: false })
    await owner('PATCH', member, { active: true })
    t.match(
      await rolesOf('ann'),
      [
        { id: auditor, origin: 'provider' },
        { id: counter, origin: 'hand' },
      ],
      'nor does being away change where a role came from',
    )
    await enter('ann', [])
    t.match(await rolesOf('ann'), [{ id: counter }])
    await owner('DELETE', `${path}/${counter}`)
  })

  await t.test('duties that may not meet are kept apart, and he is let in without', async (t) => {
    const duty = { title: 'Apart', first: 'tenant.audit.read', second: 'tenant.usage.read', within: 'person' }
    t.equal((await owner('POST', '/v1/tenant/duties', duty)).status, 201)
    const { reply } = await enter('bea', ['all'])
    t.equal(reply.status, 200)
    t.match(await rolesOf('bea'), [{ id: [auditor, counter].sort()[0] }])
    t.match((await auditOf('bea')).at(-1), {
      action: 'withheld',
      after: { id: [auditor, counter].sort()[1], reason: /Apart/ },
    })
    const { body } = await owner('GET', '/v1/tenant/duties')
    await owner('DELETE', `/v1/tenant/duties/${(body['items'] as { id: string }[])[0]?.id}`)
    await enter('bea', ['all'])
    t.equal((await rolesOf('bea')).length, 2)
  })

  await t.test('an owner keeps what he has, and nobody becomes one', async (t) => {
    const email = 'olga@acme.example'
    await place.signUp(tenant.slug, email)
    await owner('POST', '/v1/tenant/members', { email, role: 'owner' })
    const { send } = await enter('olga', ['all', 'bosses'])
    t.match(await send('GET', '/v1/tenant'), { body: { role: 'owner' } })
    t.same(await rolesOf('olga'), [])
    const { send: boss } = await enter('bob', ['bosses', 'count'])
    t.match(await boss('GET', '/v1/tenant'), { body: { role: 'admin' } })
  })

  await t.test('two sign-ins at once, and a role that changes meanwhile, leave one truth', async (t) => {
    const started = await Promise.all([
      ...[['all'], ['all'], ['all']].map((groups) => enter('cleo', groups)),
      owner('PATCH', `/v1/tenant/roles/${auditor}`, { description: 'new' }),
    ])
    t.equal(started.length, 4)
    t.equal((await rolesOf('cleo')).length, 2)
    const nobody = sender(place.kernel)
    t.equal((await nobody('GET', '/v1/tenant')).status, 401)
  })

  await t.test('who leaves a group keeps the denial that keeps a duty, until the duty is gone', async (t) => {
    const rules = [{ permission: 'tenant.usage.read', effect: 'deny' }]
    const limits = String((await owner('POST', '/v1/tenant/roles', { name: 'Limits', rules })).body['id'])
    t.equal((await connect({ groupClaim: 'groups', groupRoles: { limits } })).status, 200)
    await enter('dan', ['limits'])
    const both = await role('Both', ['tenant.audit.read', 'tenant.usage.read'])
    await owner('POST', `/v1/tenant/members/${await idOf('dan')}/roles`, { role: both })
    const duty = { title: 'Apart', first: 'tenant.audit.read', second: 'tenant.usage.read', within: 'person' }
    const made = await owner('POST', '/v1/tenant/duties', duty)
    const { send, reply } = await enter('dan', [])
    t.equal(reply.status, 200)
    t.match(await rolesOf('dan'), [{ id: both }, { id: limits }])
    t.match((await auditOf('dan')).at(-1), { action: 'withheld', after: { id: limits, reason: /Apart/ } })
    t.equal((await send('GET', '/v1/tenant/usage')).status, 403)
    await owner('DELETE', `/v1/tenant/duties/${String(made.body['id'])}`)
    await enter('dan', [])
    t.match(await rolesOf('dan'), [{ id: both }])
    t.equal((await rolesOf('dan')).length, 1)
  })
})

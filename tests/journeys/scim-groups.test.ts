// Groups that a directory keeps here (SCIM), with the bodies that Okta and Entra send, and what their people get by them.
import t from 'tap'
import { startIdentityProvider } from '../support/identity-provider.ts'
import { testKernel } from '../support/kernel.ts'
import { openSsoPlace } from '../support/sso-place.ts'

const core = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const groups = '/scim/v2/Groups'

t.test('groups of a directory', async (t) => {
  const idp = await startIdentityProvider(t)
  const place = await testKernel(t, { plainHosts: [idp.host] })
  const here = await openSsoPlace(place, idp)
  const { tenant, connect, enter, role, idOf } = here
  const { owner } = tenant
  const auditor = await role('Auditor', ['tenant.audit.read'])
  const counter = await role('Counter', ['tenant.usage.read'])
  const personal = await role('Personal', ['tenant.audit.personal'])
  const scopes = ['tenant.members.manage', 'tenant.roles.manage']
  const scim = await here.program('admin', scopes)
  const entra = '5f0c2a9e-9c6b-4a5e-8a3e-000000000001'
  const groupRoles = { Auditors: auditor, [entra]: [counter, 'admin'], DPO: personal }
  const make = async (name: string) => {
    const reply = await scim('POST', '/scim/v2/Users', JSON.stringify({ userName: `${name}@acme.example` }))
    return String(reply.body['id'])
  }
  const send = (operations: object[]) => JSON.stringify({ schemas: [patchOp], Operations: operations })
  const rolesOf = async (name: string) => {
    const { body } = await owner('GET', `/v1/tenant/members/${await idOf(name)}/roles`)
    return [body['membership'], ...(body['items'] as { name: string }[]).map((one) => one.name).sort()]
  }
  t.match(await scim('POST', groups, JSON.stringify({ displayName: 'Early' })), {
    status: 404,
    body: { code: 'SSO_NOT_CONFIGURED' },
  })
  t.equal((await connect({ groupRoles })).status, 200)
  const [ann, bea, cleo] = [await make('ann'), await make('bea'), await make('cleo')]

  await t.test('a client learns what there is', async (t) => {
    t.match(await scim('GET', '/scim/v2/ServiceProviderConfig'), {
      body: { patch: { supported: true }, etag: { supported: true }, bulk: { supported: false } },
    })
    t.match(await scim('GET', '/scim/v2/ResourceTypes'), {
      body: {
        totalResults: 2,
        Resources: [{ id: 'User' }, { id: 'Group', endpoint: '/Groups', schema: core }],
      },
    })
    t.match(await scim('GET', '/scim/v2/ResourceTypes/Group'), { status: 200, body: { name: 'Group' } })
    t.match(await scim('GET', `/scim/v2/Schemas/${core}`), {
      status: 200,
      body: { attributes: [{ name: 'displayName' }, { name: 'externalId' }, { name: 'members' }] },
    })
    t.match(await scim('GET', '/scim/v2/Schemas'), { body: { totalResults: 2 } })
    t.match(await scim('GET', '/scim/v2/Schemas/nothing'), { status: 404, body: { status: '404' } })
  })

  await t.test('as Okta does it', async (t) => {
    const filter = `${groups}?filter=${encodeURIComponent('displayName eq "Auditors"')}&startIndex=1&count=100`
    t.match(await scim('GET', filter), { status: 200, body: { totalResults: 0, Resources: [] } })
    const input = {
      schemas: [core],
      displayName: 'Auditors',
      members: [{ value: ann, display: 'ann@acme.example' }],
    }
    const made = await scim('POST', groups, JSON.stringify(input))
    t.match(made, {
      status: 201,
      headers: { location: /^\/scim\/v2\/Groups\// },
      body: {
        schemas: [core],
        displayName: 'Auditors',
        members: [{ value: ann, type: 'User', $ref: `/scim/v2/Users/${ann}` }],
        meta: { resourceType: 'Group', version: /^W\/"[\w-]{22}"$/ },
      },
    })
    const one = `${groups}/${made.body['id']}`
    t.same(await rolesOf('ann'), ['member', 'Auditor'])
    const { send: asAnn } = await enter('ann')
    t.equal((await asAnn('GET', '/v1/tenant/audit')).status, 200)
    t.same(await rolesOf('ann'), ['member', 'Auditor'], 'a sign-in without groups leaves it')
    t.match(await scim('GET', filter), {
      body: { totalResults: 1, Resources: [{ displayName: 'Auditors', members: [{ value: ann }] }] },
    })
    const added = await scim(
      'PATCH',
      one,
      send([{ op: 'add', path: 'members', value: [{ value: bea, display: 'bea@acme.example' }] }]),
    )
    t.match(added, { status: 200, body: { members: { length: 2 } } })
    t.same(await rolesOf('bea'), ['member', 'Auditor'])
    const removed = await scim('PATCH', one, send([{ op: 'remove', path: `members[value eq "${ann}"]` }]))
    t.match(removed, { status: 200, body: { members: [{ value: bea }] } })
    t.equal((await asAnn('GET', '/v1/tenant/audit')).status, 403, 'in his next request')
    const renamed = await scim(
      'PATCH',
      one,
      send([{ op: 'replace', value: { id: made.body['id'], displayName: 'Old auditors' } }]),
    )
    t.match(renamed, { body: { displayName: 'Old auditors' } })
    t.same(await rolesOf('bea'), ['member'], 'a name that is mapped to nothing gives nothing')
    const whole = {
      schemas: [core],
      id: made.body['id'],
      displayName: 'Auditors',
      members: [{ value: cleo }],
    }
    t.match(await scim('PUT', one, JSON.stringify(whole)), {
      status: 200,
      body: { members: [{ value: cleo }] },
    })
    t.same([await rolesOf('bea'), await rolesOf('cleo')], [['member'], ['member', 'Auditor']])
    t.equal((await scim('DELETE', one)).status, 204)
    t.same(await rolesOf('cleo'), ['member'])
    t.match(await scim('GET', one), { status: 404, body: { status: '404' } })
  })

  await t.test('as Entra does it', async (t) => {
    const input = {
      schemas: [core],
      externalId: entra,
      displayName: 'ERP admins',
      meta: { resourceType: 'Group' },
    }
    const made = await scim('POST', groups, JSON.stringify(input))
    t.match(made, { status: 201, body: { externalId: entra, members: [] } })
    const one = `${groups}/${made.body['id']}`
    t.match(await scim('GET', `${one}?excludedAttributes=members`), { status: 200 })
    const search = `${groups}?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "erp ADMINS"')}`
    const { body } = await scim('GET', search)
    t.match(body, { totalResults: 1, Resources: [{ externalId: entra }] })
    t.notMatch(JSON.stringify(body), /members/)
    const member = (id: string) => [{ $ref: null, value: id }]
    t.equal(
      (await scim('PATCH', one, send([{ op: 'Add', path: 'members', value: member(ann) }]))).status,
      200,
    )
    t.same(await rolesOf('ann'), ['admin', 'Counter'], 'by the external id')
    t.equal(
      (await scim('PATCH', one, send([{ op: 'Replace', path: 'displayName', value: 'Bosses' }]))).status,
      200,
    )
    t.same(await rolesOf('ann'), ['admin', 'Counter'])
    t.equal(
      (await scim('PATCH', one, send([{ op: 'Remove', path: 'members', value: member(ann) }]))).status,
      200,
    )
    t.same(await rolesOf('ann'), ['member'])
    const urn = `${core}:members`
    t.equal((await scim('PATCH', one, send([{ op: 'Add', path: urn, value: member(bea) }]))).status, 200)
    t.match(await scim('PATCH', one, send([{ op: 'Remove', path: 'members' }])), { body: { members: [] } })
    t.same(await rolesOf('bea'), ['member'])
    t.equal((await scim('DELETE', one)).status, 204)
  })

  await t.test('two changes of one version: the second is refused', async (t) => {
    const made = await scim('POST', groups, JSON.stringify({ displayName: 'Watched' }))
    const one = `${groups}/${made.body['id']}`
    const version = String((made.body['meta'] as { version: string }).version)
    t.equal(made.headers['etag'], version)
    t.equal((await scim('GET', one, undefined, { 'if-none-match': version })).status, 304)
    const add = send([{ op: 'add', path: 'members', value: [{ value: ann }] }])
    t.equal((await scim('PATCH', one, add, { 'if-match': version })).status, 200)
    t.match(await scim('PATCH', one, add, { 'if-match': version }), {
      status: 412,
      body: { status: '412', code: 'SCIM_VERSION_CONFLICT' },
    })
    t.equal((await scim('DELETE', one, undefined, { 'if-match': version })).status, 412)
    t.equal((await scim('PUT', one, JSON.stringify({ displayName: 'W' }), { 'if-match': 'x' })).status, 400)
    t.equal((await scim('DELETE', one, undefined, { 'if-match': '*' })).status, 204)
    const user = `/scim/v2/Users/${ann}`
    const { headers } = await scim('GET', user)
    const off = send([{ op: 'replace', path: 'externalId', value: 'a1' }])
    t.equal((await scim('PATCH', user, off, { 'if-match': String(headers['etag']) })).status, 200)
    t.equal((await scim('PATCH', user, off, { 'if-match': String(headers['etag']) })).status, 412)
  })

  await t.test('what is wrong is said', async (t) => {
    const made = await scim('POST', groups, JSON.stringify({ displayName: 'Checked', externalId: 'c1' }))
    const one = `${groups}/${made.body['id']}`
    const other = await place.signUp()
    const { body: stranger } = await other('GET', '/v1/me')
    for (const [operation, why] of [
      [{ op: 'add', path: 'members', value: [{ value: String(stranger['id']) }] }, 'a stranger'],
      [{ op: 'add', path: 'members', value: [{ value: 'nobody' }] }, 'nobody'],
      [{ op: 'add', path: 'members', value: [{ value: 'a\u0000b' }] }, 'a zero'],
      [{ op: 'add', path: 'members', value: [{ display: 'x' }] }, 'no value'],
      [{ op: 'add', path: 'members', value: 5 }, 'a number'],
      [{ op: 'add', path: `members[value eq "${ann}"]`, value: ann }, 'adding by a filter'],
      [{ op: 'replace', path: 'displayName', value: '' }, 'no name'],
      [{ op: 'replace', path: 'displayName', value: 'x\u0000' }, 'a zero in the name'],
      [{ op: 'remove', path: 'displayName' }, 'taking the name away'],
      [{ op: 'replace', path: 'owner', value: 'x' }, 'an unknown attribute'],
      [{ op: 'move', path: 'members' }, 'an unknown operation'],
      [{ op: 'remove' }, 'removing nothing'],
    ] as const)
      t.match(
        await scim('PATCH', one, send([operation])),
        { status: 400, body: { scimType: 'invalidValue' } },
        why,
      )
    t.match(await scim('POST', groups, JSON.stringify({ displayName: 'checked' })), {
      status: 409,
      body: { scimType: 'uniqueness' },
    })
    t.match(await scim('POST', groups, JSON.stringify({ displayName: 'Other', externalId: 'c1' })), {
      status: 409,
    })
    t.equal((await scim('POST', groups, JSON.stringify({}))).status, 400)
    t.equal((await scim('GET', `${groups}?filter=members%20pr`)).status, 400)
    t.equal((await scim('GET', `${groups}/%00`)).status, 400)
    t.equal((await scim('GET', `${groups}/x'y`)).status, 404)
    const many = Array.from({ length: 101 }, () => ({ op: 'add', path: 'members', value: [] }))
    t.equal((await scim('PATCH', one, send(many))).status, 400)
    t.equal((await scim('DELETE', one)).status, 204)
  })

  await t.test('an account gives what it has, and reaches its own tenant', async (t) => {
    const dpo = { displayName: 'DPO', members: [{ value: ann }] }
    t.match(await scim('POST', groups, JSON.stringify(dpo)), {
      status: 403,
      body: { code: 'FORBIDDEN' },
    })
    const empty = await scim('POST', groups, JSON.stringify({ displayName: 'DPO' }))
    t.equal(empty.status, 201, 'a group of nobody gives nothing')
    const one = `${groups}/${empty.body['id']}`
    const add = send([{ op: 'add', path: 'members', value: [{ value: ann }] }])
    t.equal((await scim('PATCH', one, add)).status, 403)
    await scim('PATCH', `/scim/v2/Users/${ann}`, send([{ op: 'replace', path: 'active', value: false }]))
    t.equal((await scim('PATCH', one, add)).status, 403, 'nor to somebody who is away')
    await scim('PATCH', `/scim/v2/Users/${ann}`, send([{ op: 'replace', path: 'active', value: true }]))
    const half = await here.program('admin', ['tenant.members.manage'])
    t.match(await half('POST', groups, JSON.stringify({ displayName: 'Half' })), { status: 403 })
    t.equal((await half('GET', groups)).status, 200)
    const plain = await here.program('member', ['*'])
    t.equal((await plain('GET', groups)).status, 403)
    const other = await place.openTenant()
    const theirs = await here.program('admin', scopes, other.owner)
    t.match(await theirs('GET', groups), { body: { totalResults: 0 } })
    t.equal((await theirs('GET', one)).status, 404)
    t.equal((await theirs('DELETE', one)).status, 404)
    t.equal((await scim('DELETE', one)).status, 204)
  })

  await t.test(
    'duties that may not meet refuse the change; who is away gets his roles when he is back',
    async (t) => {
      const duty = {
        title: 'Apart',
        first: 'tenant.audit.read',
        second: 'tenant.usage.read',
        within: 'person',
      }
      await owner('POST', '/v1/tenant/duties', duty)
      t.equal((await connect({ groupRoles: { Auditors: auditor, Counters: counter } })).status, 200)
      const group = async (displayName: string) =>
        `${groups}/${(await scim('POST', groups, JSON.stringify({ displayName }))).body['id']}`
      const [auditors, counters] = [await group('Auditors'), await group('Counters')]
      const add = send([{ op: 'add', path: 'members', value: [{ value: cleo }] }])
      t.equal((await scim('PATCH', auditors, add)).status, 200)
      t.match(await scim('PATCH', counters, add), { status: 403, body: { code: 'DUTY_CONFLICT' } })
      t.match(await scim('GET', counters), { body: { members: [] } })
      const active = (value: boolean) => send([{ op: 'replace', path: 'active', value }])
      await scim('PATCH', `/scim/v2/Users/${cleo}`, active(false))
      await scim('PATCH', auditors, send([{ op: 'remove', path: `members[value eq "${cleo}"]` }]))
      t.equal((await scim('PATCH', counters, add)).status, 200)
      await scim('PATCH', `/scim/v2/Users/${cleo}`, active(true))
      t.same(await rolesOf('cleo'), ['member', 'Counter'])
      const { rows } = await place.database.admin.query<{ action: string }>(
        "select action from kernel.audit where tenant_id = $1 and entity = 'directoryGroup' and record_id = $2 order by turn, id",
        [tenant.id, counters.slice(groups.length + 1)],
      )
      t.same(
        rows.map(({ action }) => action),
        ['created', 'changed'],
      )
      t.equal((await scim('DELETE', `/scim/v2/Users/${cleo}`)).status, 204)
      t.match(await scim('GET', counters), { body: { members: [] } }, 'who is removed is in no group')
    },
  )
})

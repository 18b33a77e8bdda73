// What a tenant in each state may do, asked of the kernel and of a module, and how it comes into a state; then the same
// without the wall.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import type { TenantState } from '../../kernel/src/stages.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Send, testKernel } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'

const notes = `
import { definePlugin, entity, t } from '@plinth/sdk'
const note = entity('Note', { text: t.text() }, { path: 'notes' })
export default definePlugin({
  name: 'notes', title: 'Notes', entities: { note }, roles: { member: { can: ['*'] } },
  routes: {
    sly: { method: 'GET', path: '/sly', run: async (ctx) => (await ctx.entities.note.create({ text: 'sly' })).id },
    calm: { method: 'GET', path: '/calm', run: async (ctx) => (await ctx.entities.note.list()).items.length },
  },
})`

async function place(t: Test, off: readonly Defence[] = []) {
  const pluginsRoot = await makeInstallation(t, { '@test/notes': { source: notes } })
  const kernel = await testKernel(t, { pluginsRoot, operatorToken }, { off: new Set(off) })
  const tenant = await kernel.openTenant('notes')
  const member = await kernel.addMember(tenant, 'member')
  await tenant.owner('POST', '/v1/notes/notes', { text: 'before' })
  const operator = operatorOf(kernel.send)
  const own = `/v1/operator/tenants/${tenant.slug}`
  async function put(state: TenantState): Promise<void> {
    const { body } = await operator('GET', own)
    if (body['state'] === 'closing') await operator('POST', `${own}/reopen`)
    if (state === 'closing') await operator('POST', `${own}/close`, { days: 3 })
    else if (state === 'closed') {
      await operator('POST', `${own}/close`, { days: 3 })
      await operator('POST', `${own}/erase`, { confirm: tenant.slug })
    } else await operator('PUT', `${own}/state`, { state, reason: 'a test' })
  }
  return { kernel, tenant, member, operator, own, put }
}

const told = async (send: Send, ...[method, url, body]: Parameters<Send>): Promise<string> => {
  const answer = await send(method, url, body)
  return String(answer.body['code'] ?? answer.status)
}

/** What a member is told when he reads, changes, and reads by a route that writes; and the owner, of the tenant itself. */
async function allowed(member: Send, owner: Send): Promise<readonly string[]> {
  return [
    await told(member, 'GET', '/v1/notes/notes'),
    await told(member, 'GET', '/v1/notes/calm'),
    await told(member, 'GET', '/v1/tenant/modules'),
    await told(member, 'POST', '/v1/notes/notes', { text: 'a' }),
    await told(member, 'GET', '/v1/notes/sly'),
    await told(owner, 'PATCH', '/v1/tenant', { name: 'Renamed' }),
    await told(member, 'GET', '/v1/tenant'),
    await told(owner, 'GET', '/v1/tenant'),
  ]
}

const works = ['200', '200', '200', '201', '200', '200', '200', '200']
const table: Readonly<Record<TenantState, readonly string[]>> = {
  active: works,
  trialing: works,
  past_due: works,
  read_only: ['200', '200', '200', ...Array<string>(3).fill('TENANT_READ_ONLY'), '200', '200'],
  suspended: [...Array<string>(7).fill('TENANT_SUSPENDED'), '200'],
  closing: ['200', '200', '200', ...Array<string>(3).fill('TENANT_CLOSING'), '200', '200'],
  closed: Array<string>(8).fill('TENANT_CLOSED'),
}

t.test('each state allows what the table says, from the next request on', async (t) => {
  const { kernel, tenant, member, operator, own, put } = await place(t)
  for (const state of ['past_due', 'trialing', 'read_only', 'suspended', 'active', 'closing'] as const) {
    await put(state)
    t.same(await allowed(member, tenant.owner), table[state], state)
  }
  t.match(await operator('PUT', `${own}/state`, { state: 'active' }), {
    status: 409,
    body: { code: 'TENANT_STATE_REFUSED', from: 'closing' },
  })
  t.match(await operator('POST', `${own}/erase`, { confirm: 'another' }), {
    status: 422,
    body: { errors: [{ field: 'confirm' }] },
  })
  t.match(await tenant.owner('POST', '/v1/tenant/reopen'), { status: 200, body: { state: 'active' } })
  t.match(await operator('POST', `${own}/erase`, { confirm: tenant.slug }), {
    status: 409,
    body: { code: 'TENANT_STATE_REFUSED' },
  })
  t.match(await operator('POST', `${own}/reopen`), { status: 409, body: { code: 'TENANT_STATE_REFUSED' } })
  await put('suspended')
  t.match(await tenant.owner('GET', '/v1/tenant'), { body: { state: 'suspended', reason: 'a test' } })
  t.match(await operator('PUT', `${own}/state`, { state: 'trialing' }), { status: 409 }, 'no new trial')

  const other = await kernel.openTenant('notes')
  t.match(await other.owner('POST', '/v1/notes/notes', { text: 'a' }), { status: 201 }, 'others go on')
  const audit = await kernel.database.admin.query<{ action: string; actor: string }>(
    `select action, actor from kernel.audit where tenant_id = $1 and entity = 'tenant' order by id`,
    [tenant.id],
  )
  t.ok(
    ['created', 'changed', 'stateChanged', 'closing', 'reopened'].every((action) =>
      audit.rows.some((row) => row.action === action),
    ),
  )
  t.ok(audit.rows.some(({ actor, action }) => actor === 'operator' && action === 'stateChanged'))
})

t.test('an owner hands over, closes and reopens; nobody else does', async (t) => {
  const { kernel, tenant, member } = await place(t)
  const admin = await kernel.addMember(tenant, 'admin')
  const own = await tenant.owner('GET', '/v1/tenant')
  const etag = String(own.headers['etag'])
  t.match(
    await admin('PATCH', '/v1/tenant', { timeZone: 'asia/kolkata', locale: 'en-in' }, { 'if-match': etag }),
    {
      status: 200,
      body: { timeZone: /Asia\/(Kolkata|Calcutta)/, locale: 'en-IN', version: 2 },
    },
  )
  t.match(await admin('PATCH', '/v1/tenant', { name: 'Late' }, { 'if-match': etag }), {
    status: 412,
    body: { code: 'VERSION_CONFLICT' },
  })
  t.match(await admin('PATCH', '/v1/tenant', { country: 'ZZ', timeZone: '+05:30', locale: 'x' }), {
    status: 422,
    body: { errors: [{ field: 'locale' }, { field: 'timeZone' }, { field: 'country' }] },
  })
  t.match(await member('PATCH', '/v1/tenant', { name: 'Mine' }), { status: 403, body: { code: 'FORBIDDEN' } })
  const confirm = { confirm: tenant.slug }
  for (const who of [admin, member])
    for (const [url, body] of [
      ['/v1/tenant/close', confirm],
      ['/v1/tenant/reopen', undefined],
      ['/v1/tenant/ownership', { userId: 'x' }],
    ] as const)
      t.match(await who('POST', url, body), { status: 403, body: { code: 'FORBIDDEN' } }, url)

  const people = (await tenant.owner('GET', '/v1/tenant/members')).body['items'] as {
    userId: string
    role: string
  }[]
  const next = people.find(({ role }) => role === 'admin')?.userId
  t.match(await tenant.owner('POST', '/v1/tenant/ownership', { userId: 'nobody' }), {
    status: 404,
    body: { code: 'RECORD_NOT_FOUND' },
  })
  const both = await Promise.all([
    tenant.owner('POST', '/v1/tenant/ownership', { userId: next }),
    tenant.owner('POST', '/v1/tenant/ownership', { userId: next }),
  ])
  t.same(both.map(({ status }) => status).sort(), [200, 403], 'it is handed over once')
  t.match(
    await tenant.owner('POST', '/v1/tenant/close', confirm),
    { status: 403 },
    'who gave it away has not got it',
  )
  t.match(await admin('POST', '/v1/tenant/close', { confirm: 'wrong' }), {
    status: 422,
    body: { errors: [{ field: 'confirm' }] },
  })
  t.match(await admin('POST', '/v1/tenant/close', confirm), { status: 200, body: { state: 'closing' } })
  t.match(await admin('POST', '/v1/tenant/reopen'), { status: 200, body: { state: 'active' } })
})

t.test('without tenantState a read-only tenant is written to and a suspended one is entered', async (t) => {
  const { tenant, member, put } = await place(t, ['tenantState'])
  await put('read_only')
  t.same(await allowed(member, tenant.owner), works, 'read_only')
  await put('suspended')
  t.same(await allowed(member, tenant.owner), works, 'suspended')
})

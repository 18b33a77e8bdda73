// The end of a tenant: closed, exported, erased with nothing left of it anywhere, and the receipt; also where the kernel is
// killed half-way, and while requests of the tenant are inside.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Parser } from 'tar'
import { makeInstallation } from '../support/installation.ts'
import { type Reply, type TestKernel, testKernel } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

const trees = `
import { definePlugin, entity, t } from '@plinth/sdk'
const node = entity('Node', {
  name: t.text().unique(), number: t.sequence('N-{0000}'), parent: t.ref('node').optional(), price: t.money().optional(),
  amount: t.decimal().optional(), leaves: t.lines({ of: t.ref('leaf'), memo: t.text().optional() }).optional(),
}, { path: 'nodes' })
const leaf = entity('Leaf', { name: t.text(), on: t.ref('node').optional() }, { path: 'leaves' })
export default definePlugin({
  name: 'trees', title: 'Trees', entities: { node, leaf }, roles: { member: { can: ['*'] } },
  events: { 'node.seen': { name: t.text() } },
  routes: {
    hold: {
      method: 'POST', path: '/hold', input: { node: t.ref('node') },
      async run(ctx, { node }) { await ctx.entities.node.lock(node); return 'held' },
    },
  },
})`

const kernel = await testKernel(t, {
  pluginsRoot: await makeInstallation(t, { '@test/trees': { source: trees } }),
  operatorToken,
})
const operator = operatorOf(kernel.send)
const { admin } = kernel.database

const idOf = ({ body }: Reply) => String(body['id'])

async function planted({ openTenant, addMember }: TestKernel, name: string) {
  const tenant = await openTenant('trees')
  await addMember(tenant, 'member')
  const create = (path: string, body: object) => tenant.owner('POST', `/v1/trees/${path}`, body).then(idOf)
  const root = await create('nodes', { name, amount: '0.10' })
  const leaf = await create('leaves', { name: `${name} leaf`, on: root })
  // In circles: a node on itself, a leaf that a node has lines of and that hangs on that node.
  const child = await create('nodes', { name: `${name} child`, parent: root, leaves: [{ of: leaf }] })
  await tenant.owner('PATCH', `/v1/trees/nodes/${root}`, { parent: child })
  return { ...tenant, root, name }
}

/** Where in the whole database the text stands: every column of every table, as a superuser sees it. */
async function placesOf(text: string): Promise<string[]> {
  const { rows } = await admin.query<{ schema: string; table: string }>(
    `select n.nspname as schema, c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and (n.nspname in ('kernel', 'identity') or n.nspname like 'plugin_%')`,
  )
  const found: string[] = []
  for (const { schema, table } of rows) {
    const { rowCount } = await admin.query(
      `select from "${schema}"."${table}" x where strpos(to_jsonb(x)::text, $1) > 0 limit 1`,
      [text],
    )
    if (rowCount) found.push(`${schema}.${table}`)
  }
  return found.sort()
}

const close = (slug: string, days = 3) => operator('POST', `/v1/operator/tenants/${slug}/close`, { days })
const erase = (slug: string) => operator('POST', `/v1/operator/tenants/${slug}/erase`, { confirm: slug })

async function receiptOf(slug: string): Promise<Reply['body']> {
  for (;;) {
    const { body } = await operator('GET', `/v1/operator/tenants/${slug}/receipt`)
    if (body['state'] === 'succeeded') return body
    await sleep(50)
  }
}

interface Manifest {
  readonly tables: readonly {
    readonly table: string
    readonly rows: number
    readonly files: readonly { readonly name: string; readonly sha256: string }[]
  }[]
}

/** What the archive holds, by name. */
async function unpacked(bytes: Buffer): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  const texts: Promise<unknown>[] = []
  const parser = new Parser({
    onReadEntry: (entry) =>
      void texts.push(entry.concat().then((all) => files.set(entry.path, all.toString()))),
  })
  const ended = once(parser, 'end')
  parser.end(bytes)
  await ended
  await Promise.all(texts)
  return files
}

const neighbour = await planted(kernel, 'neighbour')
const before = await neighbour.owner('GET', '/v1/trees/nodes')

t.test('a tenant is erased, nothing of it is left, and the receipt says what went', async (t) => {
  const tenant = await planted(kernel, 'doomed')
  t.match(await close(tenant.slug), { status: 200, body: { state: 'closing' } })
  t.match(await erase(tenant.slug), { status: 200, body: { state: 'succeeded' } })
  const receipt = await receiptOf(tenant.slug)
  t.match(receipt, {
    tables: {
      'plugin_trees.node': 2,
      'plugin_trees.leaf': 1,
      'plugin_trees.node_leaves': 1,
      'kernel.membership': 2,
      'kernel.tenant_module': 1,
    },
  })
  const { digest, state, ...facts } = receipt
  const order = ['tenant', 'slug', 'askedBy', 'startedAt', 'finishedAt', 'tables', 'rows']
  const said = JSON.stringify(Object.fromEntries(order.map((key) => [key, facts[key]])))
  t.equal(digest, createHash('sha256').update(said).digest('hex'))
  t.equal(state, 'succeeded')
  t.same(await placesOf('doomed'), [], 'what people wrote')
  t.same(await placesOf(tenant.id), ['kernel.audit', 'kernel.tenant', 'kernel.tenant_erasure'], 'its id')
  const { rows } = await admin.query<{ actor: string; action: string }>(
    `select actor, action from kernel.audit where record_id = $1 order by id`,
    [tenant.id],
  )
  t.same(rows, [
    { actor: 'operator', action: 'erasing' },
    { actor: 'operator', action: 'erased' },
  ])
  t.match(await tenant.owner('GET', '/v1/tenant'), { status: 404, body: { code: 'TENANT_NOT_FOUND' } })
  const again = await kernel.signUp()
  t.match(await again('POST', '/v1/tenants', { name: 'New', slug: tenant.slug }), {
    status: 409,
    body: { code: 'RECORD_CONFLICT' },
  })
  t.same((await neighbour.owner('GET', '/v1/trees/nodes')).body, before.body, 'the neighbour has everything')
  t.match(await operator('POST', `/v1/operator/tenants/${tenant.slug}/reopen`), { status: 409 })
  t.match(await operator('GET', `/v1/operator/tenants/${neighbour.slug}/receipt`), { status: 404 })
})

t.test('everything of a tenant can be taken along, and nothing of another', async (t) => {
  const tenant = await planted(kernel, 'traveller')
  const many = Array.from({ length: 1_203 }, (_, n) => `many ${n}`)
  await admin.query(
    `insert into plugin_trees.leaf select l.tenant_id, gen_random_uuid(), l.version, l.created_at, l.created_by, l.updated_at, l.updated_by, m
       from plugin_trees.leaf l, unnest($2::text[]) m where l.tenant_id = $1 and l.name = 'traveller leaf'`,
    [tenant.id, many],
  )
  const email = 'exporter@example.com'
  const account = { name: 'Exporter', email, password: 'correct horse battery' }
  const { body } = await kernel.send('POST', '/v1/auth/sign-up/email', account)
  await tenant.owner('POST', '/v1/tenant/members', { email, role: 'admin' })
  await close(tenant.slug)
  const headers = { authorization: `Bearer ${String(body['token'])}`, 'x-tenant-id': tenant.slug }
  const answer = await kernel.kernel.inject({ method: 'GET', url: '/v1/tenant/export', headers })
  t.match(answer.headers, { 'content-type': 'application/gzip', 'content-disposition': /attachment/ })
  const files = await unpacked(answer.rawPayload)
  const manifest = JSON.parse(files.get('manifest.json') ?? '') as Manifest
  for (const { table, rows, files: names } of manifest.tables) {
    const lines = names.flatMap(({ name, sha256 }) => {
      const text = files.get(name) ?? ''
      t.equal(createHash('sha256').update(text).digest('hex'), sha256, name)
      return text.trimEnd().split('\n')
    })
    t.equal(lines.length, rows, table)
  }
  const rowsOf = (table: string) => manifest.tables.find((one) => one.table === table)?.rows
  t.same(['trees/node', 'trees/leaf', 'trees/node_leaves', 'kernel/membership'].map(rowsOf), [2, 1_204, 1, 3])
  t.ok((manifest.tables.find(({ table }) => table === 'trees/leaf')?.files.length ?? 0) > 2, 'in parts')
  const all = [...files.values()].join('')
  t.match(all, /"amount":"0\.10*"/, 'a decimal is text')
  t.notMatch(all, /neighbour/)
  t.notMatch(all, new RegExp(neighbour.id))
  const member = await kernel.addMember(neighbour, 'member')
  t.match(await member('GET', '/v1/tenant/export'), { status: 403, body: { permission: 'tenant.export' } })
})

t.test('a tenant whose days are over is erased by itself; one that was reopened is not', async (t) => {
  const [due, reopened] = [await planted(kernel, 'expired'), await planted(kernel, 'saved')]
  await close(reopened.slug, 1)
  t.match(await reopened.owner('POST', '/v1/tenant/reopen'), { status: 200 })
  await close(due.slug, 0)
  t.match(await receiptOf(due.slug), { askedBy: 'kernel' })
  t.match(await reopened.owner('GET', `/v1/trees/nodes/${reopened.root}`), { status: 200 })
})

t.test('who is inside when a tenant is erased is waited for, and leaves nothing behind', async (t) => {
  const tenant = await planted(kernel, 'busy')
  const locker = await kernel.database.connect({ connectionString: kernel.database.adminUrl })
  await admin.query('begin')
  await admin.query('select from plugin_trees.node where id = $1 for update', [tenant.root])
  const inside = tenant.owner('POST', '/v1/trees/hold', { node: tenant.root })
  await someoneWaitsForALock(locker)
  await close(tenant.slug)
  const token = { authorization: `Bearer ${operatorToken}` }
  t.match(
    await kernel.send('POST', `/v1/operator/tenants/${tenant.slug}/erase`, { confirm: tenant.slug }, token),
    { status: 202, body: { state: 'running' } },
  )
  t.match(await tenant.owner('POST', '/v1/trees/nodes', { name: 'busy late' }), {
    status: 403,
    body: { code: 'TENANT_CLOSED' },
  })
  await admin.query('rollback')
  await inside
  await receiptOf(tenant.slug)
  t.same(await placesOf('busy'), [])
})

// GET /v1/events: what happens arrives once and in order, across connections that break, and for those alone who may read
// what it is about.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type EventClient, type ListenOptions, listenAt } from '../support/event-source.ts'
import { hooksLab } from '../support/hooks-lab.ts'
import { until } from '../support/queue-lab.ts'

const lab = await hooksLab(t)
const { url } = await lab.kernel.listen()
const open: EventClient[] = []
t.teardown(() => open.forEach((client) => void client.cut()))

async function listen(options: ListenOptions): Promise<EventClient> {
  const client = await listenAt(url, options)
  open.push(client)
  if (client.status === 200)
    await until(
      async () => client.lastId(),
      (id) => id !== '',
    )
  return client
}
const heard = (client: EventClient, count: number) =>
  until(
    async () => client.messages,
    (all) => all.length >= count,
  )
const notes = ({ messages }: EventClient) =>
  messages.map(({ data }) => (data['data'] as { note?: string }).note)
const ended = async (client: EventClient) => {
  await client.ended
  return client.messages.at(-1)
}

t.test('events arrive as they happen, those alone that are asked for', async (t) => {
  const tenant = await lab.open()
  const all = await listen({ headers: tenant.headers })
  const orders = await listen({ headers: tenant.headers, query: '?types=store.order.*,finance.*' })
  t.match(all.headers.get('content-type'), /^text\/event-stream/)
  t.match(all.headers.get('cache-control'), /no-store/)
  const order = await tenant.order()
  await tenant.ring('ding')
  await tenant.ship(order, 'by post')
  const [first, second] = await heard(all, 2)
  t.match(first, { event: 'message', id: /^\d+$/, data: { type: 'store.bell.rung', data: { note: 'ding' } } })
  t.match(second?.data, { type: 'store.order.shipped', timestamp: /^20/, data: { order, margin: '12 %' } })
  t.ok(Number(second?.id) > Number(first?.id))
  await heard(orders, 1)
  t.strictSame(notes(orders), ['by post'])
})

t.test('nothing is lost and nothing comes twice over connections that break', async (t) => {
  const tenant = await lab.open()
  let client = await listen({ headers: tenant.headers })
  const got: unknown[] = []
  let lastId = client.lastId()
  const telling = (async () => {
    for (let at = 0; at < 40; at += 1) await tenant.ring(`note ${at}`, 10)
  })()
  while (got.length < 400) {
    await until(
      async () => client.messages.length,
      (count) => count > 0,
    )
    await sleep(Math.random() * 100)
    client.cut()
    got.push(...client.messages.map(({ data }) => (data['data'] as { note: string }).note))
    lastId = client.lastId()
    client = await listen({ headers: tenant.headers, lastId })
  }
  await telling
  t.strictSame(
    got,
    Array.from({ length: 400 }, (_, at) => `note ${Math.floor(at / 10)}`),
  )
  const again = await listen({ headers: tenant.headers, query: '?after=0' })
  await heard(again, 400)
  t.strictSame(notes(again), got, 'and all of it is there from the beginning')
})

t.test('who may read a record hears of it, and of nothing else', async (t) => {
  const tenant = await lab.open()
  const member = await lab.join(tenant, 'member')
  const [theirs, own] = [await tenant.order(), await tenant.order(member.send)]
  const [asOwner, asMember] = [await listen(tenant), await listen(member)]
  await tenant.ship(theirs, 'not his')
  await tenant.ring('about nothing')
  await tenant.ship(own, 'his')
  await heard(asOwner, 3)
  await heard(asMember, 1)
  t.strictSame(notes(asOwner), ['not his', 'about nothing', 'his'])
  t.strictSame(notes(asMember), ['his'], 'his own records, as the rule says')

  const made = await tenant.owner('POST', '/v1/tenant/roles', {
    name: 'Listener',
    rules: [
      { permission: 'tenant.events.read', effect: 'allow' },
      { permission: 'store.order.read', effect: 'allow' },
      { permission: 'store.order.read', effect: 'deny', fields: ['margin'] },
    ],
  })
  t.equal(made.status, 201)
  const role = { role: String(made.body['id']) }
  const given = await tenant.owner('POST', `/v1/tenant/members/${member.id}/roles`, role)
  t.ok(given.status < 300, JSON.stringify(given.body))
  await tenant.ship(theirs, 'now his too')
  await tenant.ring('and this')
  await heard(asMember, 3)
  t.strictSame(notes(asMember), ['his', 'now his too', 'and this'], 'a role acts on a stream that is open')
  const [whole, trimmed] = asMember.messages.map(({ data }) => data['data'] as Record<string, unknown>)
  t.match(trimmed, { order: theirs, margin: undefined }, 'a field he may not read is left out')
  t.equal(whole?.['margin'], '12 %')
})

t.test('a key hears what its scopes reach', async (t) => {
  const tenant = await lab.open()
  const made = await tenant.owner('POST', '/v1/me/keys', { name: 'dashboard', scopes: ['store.order.read'] })
  const headers = { authorization: `Bearer ${String(made.body['key'])}` }
  const client = await listen({ headers })
  await tenant.ring('no')
  await tenant.ship(await tenant.order(), 'yes')
  await heard(client, 1)
  t.strictSame(notes(client), ['yes'])
})

t.test('a stream ends with what let it begin', async (t) => {
  const tenant = await lab.open()
  const [left, removed] = [await lab.join(tenant, 'member'), await lab.join(tenant, 'member')]
  const [one, two] = [await listen(left), await listen(removed)]
  await left.send('POST', '/v1/auth/sign-out')
  await tenant.owner('DELETE', `/v1/tenant/members/${removed.id}`)
  const began = performance.now()
  t.match(await ended(one), { event: 'end', data: { code: 'UNAUTHENTICATED' } })
  t.match(await ended(two), { event: 'end', data: { code: 'TENANT_NOT_FOUND' } })
  t.ok(performance.now() - began < 2_000, 'at once')
  t.match(await listenAt(url, left), { status: 401 })
})

t.test('events of a module that is switched off are not shown', async (t) => {
  const tenant = await lab.open()
  await tenant.ring('before')
  const client = await listen({ ...tenant, query: '?after=0' })
  await heard(client, 1)
  await tenant.owner('DELETE', '/v1/tenant/modules/store')
  const later = await listen({ ...tenant, query: '?after=0' })
  await sleep(700)
  t.equal(later.messages.length, 0)
  await tenant.owner('POST', '/v1/tenant/modules', { module: 'store' })
  t.strictSame(notes(await withOne(await listen({ ...tenant, query: '?after=0' }))), ['before'])
})

async function withOne(client: EventClient): Promise<EventClient> {
  await heard(client, 1)
  return client
}

t.test('what cannot be is refused, and there are not too many', async (t) => {
  const tenant = await lab.open()
  const refused = (more: Partial<ListenOptions>) => listenAt(url, { headers: tenant.headers, ...more })
  t.match(await refused({ lastId: 'x' }), { status: 422, problem: { errors: [{ field: 'Last-Event-ID' }] } })
  t.match(await refused({ query: '?after=-1' }), { status: 422, problem: { errors: [{ field: 'after' }] } })
  t.match(await refused({ query: '?types=a,,b' }), { status: 422, problem: { errors: [{ field: 'types' }] } })
  t.match(await refused({ query: '?from=1' }), { status: 422 })
  t.match(await listenAt(url, { headers: {} }), { status: 401 })
  const many = await Promise.all(Array.from({ length: 10 }, () => listen(tenant)))
  t.match(await refused({}), { status: 429, problem: { code: 'STREAMS_FULL' } })
  many[0]?.cut()
  const next = await until(
    () => refused({}),
    ({ status }) => status === 200,
  )
  open.push(next)
  const reply = await tenant.owner('GET', '/v1/tenant')
  t.equal(reply.status, 200, 'streams take no turns from requests')
  t.match(await tenant.owner('HEAD', '/v1/events'), { status: 405 })
})

t.test('a kernel that closes ends them at once', async (t) => {
  const tenant = await lab.open()
  const clients = await Promise.all(Array.from({ length: 5 }, () => listen(tenant)))
  const began = performance.now()
  const closing = lab.kernel.close()
  for (const client of clients) t.match(await ended(client), { event: 'end', data: { code: 'CLOSING' } })
  t.ok(performance.now() - began < 1_000, `${performance.now() - began} ms`)
  await closing
  t.ok(performance.now() - began < 5_000, `${performance.now() - began} ms`)
})

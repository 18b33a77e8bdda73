// Webhooks, from an event to the receiver and back: what is sent and signed, tried again, given up, and sent once more.
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { hooksLab } from '../support/hooks-lab.ts'
import type { Reply } from '../support/kernel.ts'
import { until } from '../support/queue-lab.ts'
import type { Received } from '../support/webhook-receiver.ts'

const lab = await hooksLab(t)
const { receiver } = lab
const tenant = await lab.open()
const { owner } = tenant
const items = (reply: Reply) => reply.body['items'] as Record<string, unknown>[]
const got = (host: string, count = 1) =>
  until(
    async () => receiver.of(host),
    (all) => all.length >= count,
  )
const verified = (secret: string, { text, headers }: Received) => new Webhook(secret).verify(text, headers)
const statesOf = async (url: string) =>
  items(await owner('GET', `${url}/deliveries`)).map(({ state }) => state)

t.test('an event arrives, signed as Standard Webhooks has it', async (t) => {
  const { secret, url } = await tenant.hook('a.bank.example', { events: ['store.order.shipped'] })
  const order = await tenant.order()
  await tenant.ring()
  await tenant.ship(order, 'Grüße, 👋')
  const [one] = await got('a.bank.example')
  if (!one) throw new Error('nothing came')
  t.match(one, {
    path: '/hooks',
    headers: { 'content-type': 'application/json', 'webhook-id': /^msg_[\w-]{27}$/, traceparent: /^00-/ },
    body: { type: 'store.order.shipped', data: { order, note: 'Grüße, 👋', margin: '12 %' } },
  })
  t.match(verified(secret, one), { type: 'store.order.shipped' })
  t.throws(() => new Webhook(secret).verify(`${one.text} `, { ...one.headers }), 'a changed body')
  t.notMatch(JSON.stringify(one.headers), /authorization|cookie/, 'and nobody’s credentials')
  await until(
    () => statesOf(url),
    (states) => states.every((state) => state === 'delivered'),
  )
  const [delivery] = items(await owner('GET', `${url}/deliveries`))
  t.match(delivery, { type: 'store.order.shipped', attempts: 1, webhookId: one.headers['webhook-id'] })
  t.match((await owner('GET', `${url}/deliveries/${String(delivery?.['id'])}`)).body, {
    log: [{ delivered: true, status: 204 }],
  })
})

t.test(
  'after a rotation both keys sign, and the old one opens nothing new to who has it alone later',
  async (t) => {
    const { secret, url } = await tenant.hook('b.bank.example')
    const rotated = await owner('POST', `${url}/rotate-secret`)
    const next = String(rotated.body['secret'])
    t.match(rotated, { status: 200, body: { secret: /^whsec_/, oldSecretUntil: /^20/, version: 2 } })
    t.not(next, secret)
    await tenant.ring()
    const [one] = await got('b.bank.example')
    if (!one) throw new Error('nothing came')
    t.equal(one.headers['webhook-signature']?.split(' ').length, 2)
    t.ok(verified(secret, one))
    t.ok(verified(next, one))
    const admin = lab.database.admin
    await admin.query("update kernel.webhook_endpoint set old_secret_until = now() - interval '1 second'")
    await tenant.ring()
    const two = (await got('b.bank.example', 2))[1]
    if (!two) throw new Error('nothing came')
    t.ok(verified(next, two))
    t.throws(() => verified(secret, two), 'a day later the old one signs nothing')
    t.notOk('secret' in (await owner('GET', url)).body, 'a secret is shown once')
  },
)

t.test('what fails is tried again, and what never arrives has failed in the end', async (t) => {
  const { url } = await tenant.hook('c.bank.example', { events: ['store.bell.rung'] })
  receiver.answer('c.bank.example', ({ body }, nth) =>
    body.data['note'] === 'never' || nth < 3 ? { status: 500, body: 'not now' } : { status: 200 },
  )
  await tenant.ring('in the end')
  const three = await got('c.bank.example', 3)
  await until(
    () => statesOf(url),
    ([state]) => state === 'delivered',
  )
  t.equal(new Set(three.map(({ headers }) => headers['webhook-id'])).size, 1, 'it is one event each time')
  await tenant.ring('never')
  await until(
    () => statesOf(url),
    ([state]) => state === 'failed',
  )
  const [delivery] = items(await owner('GET', `${url}/deliveries?state=failed`))
  t.match(delivery, { state: 'failed', attempts: 4, error: 'It answered 500.' })
  const log = (await owner('GET', `${url}/deliveries/${String(delivery?.['id'])}`)).body['log']
  t.match(log, Array(4).fill({ delivered: false, status: 500, response: 'not now' }))
  t.match((await owner('GET', url)).body, { state: 'enabled', failingSince: /^20/ })

  receiver.answer('c.bank.example', () => ({ status: 200 }))
  const again = await owner('POST', `${url}/deliveries/${String(delivery?.['id'])}/replay`)
  t.match(again, { status: 202, body: { state: 'waiting', webhookId: delivery?.['webhookId'] } })
  await until(
    () => statesOf(url),
    ([state]) => state === 'delivered',
  )
  t.notOk('failingSince' in (await owner('GET', url)).body, 'and it is well again')
})

t.test('a receiver that asks to wait is let wait, and one that hangs is given up', async (t) => {
  const { url } = await tenant.hook('d.bank.example')
  receiver.answer('d.bank.example', () => ({ status: 503, headers: { 'retry-after': '3600' } }))
  await tenant.ring()
  await got('d.bank.example')
  const [delivery] = await until(
    async () => items(await owner('GET', `${url}/deliveries`)),
    ([one]) => one?.['attempts'] === 1,
  )
  const waits = Date.parse(String(delivery?.['nextAt'])) - Date.now()
  t.ok(waits > 3_500_000 && waits < 3_700_000, `${waits} ms`)
  t.equal((await owner('DELETE', url)).status, 204)
})

t.test('410 disables at once, and what happens from then on is not sent but can be replayed', async (t) => {
  const { url } = await tenant.hook('e.bank.example')
  receiver.answer('e.bank.example', () => ({ status: 410 }))
  await tenant.ring('first')
  await until(
    async () => (await owner('GET', url)).body,
    ({ state }) => state === 'disabled',
  )
  t.match((await owner('GET', url)).body, { disabledReason: 'gone', disabledAt: /^20/ })
  const position = await headOf()
  await tenant.ring('missed', 3)
  await until(headOf, (now) => now >= position + 3)
  t.equal(receiver.of('e.bank.example').length, 1)
  const refused = await owner('POST', `${url}/replay`, { after: String(position) })
  t.match(refused, { status: 409, body: { code: 'WEBHOOK_DISABLED' } })

  receiver.answer('e.bank.example', () => ({ status: 204 }))
  t.match(await owner('POST', `${url}/enable`), { status: 200, body: { state: 'enabled' } })
  const replayed = await owner('POST', `${url}/replay`, { after: String(position) })
  t.match(replayed, { status: 202, body: { replayed: 3 } })
  const all = await got('e.bank.example', 4)
  t.strictSame(
    all.slice(1).map(({ body }) => body.data['note']),
    ['missed', 'missed', 'missed'],
  )
  t.match(await owner('POST', `${url}/replay`, { after: String(position) }), { body: { replayed: 0 } })
  const both = { after: String(position), delivered: true }
  await until(
    () => statesOf(url),
    (states) => states.slice(0, 3).every((state) => state === 'delivered'),
  )
  t.match(await owner('POST', `${url}/replay`, both), { body: { replayed: 3 } })
  const twice = await got('e.bank.example', 7)
  t.equal(new Set(twice.map(({ headers }) => headers['webhook-id'])).size, 4, 'with the ids they had')

  async function headOf(): Promise<number> {
    const admin = lab.database.admin
    const { rows } = await admin.query('select coalesce(max(position), 0)::int as head from kernel.outbox')
    return rows[0].head
  }
})

t.test('a test is sent once, also to a webhook that is disabled', async (t) => {
  const { url, secret } = await tenant.hook('f.bank.example', { state: 'disabled' })
  t.match((await owner('GET', url)).body, { state: 'disabled', disabledReason: 'by-hand' })
  t.match(await owner('POST', `${url}/test`), { status: 202, body: { type: 'webhook.test' } })
  const [one] = await got('f.bank.example')
  t.match(one && verified(secret, one), { type: 'webhook.test', data: { webhook: /-/ } })
})

t.test('an endpoint that hangs holds up no other', async (t) => {
  const slow = await tenant.hook('g.bank.example', { events: ['store.bell.rung'] })
  await tenant.hook('h.bank.example', { events: ['store.bell.rung'] })
  receiver.answer('g.bank.example', () => ({ status: 200, hangs: true }))
  const began = performance.now()
  await tenant.ring('both', 20)
  await got('h.bank.example', 20)
  t.ok(performance.now() - began < 8_000, `${performance.now() - began} ms`)
  t.equal((await owner('DELETE', slow.url)).status, 204)
})

t.test('what is wrong is named', async (t) => {
  const post = (body: object) =>
    owner('POST', '/v1/tenant/webhooks', { url: 'https://a.bank.example/', events: ['*'], ...body })
  const wrong: readonly (readonly [object, string])[] = [
    [{ url: 'http://a.bank.example/' }, 'url'],
    [{ url: 'https://127.0.0.1/' }, 'url'],
    [{ url: 'https://[::1]/' }, 'url'],
    [{ url: 'https://localhost/' }, 'url'],
    [{ url: 'https://metadata.google.internal/' }, 'url'],
    [{ url: 'https://user:word@a.bank.example/' }, 'url'],
    [{ url: 'ftp://a.bank.example/' }, 'url'],
    [{ events: [] }, 'events'],
    [{ events: ['store'] }, 'events.0'],
    [{ events: ['store.order.shiped'] }, 'events.0'],
    [{ events: ['*', 'nothing.*'] }, 'events.1'],
    [{ secret: 'mine' }, 'secret'],
    [{ state: 'broken' }, 'state'],
  ]
  for (const [body, field] of wrong)
    t.match(await post(body), { status: 422, body: { errors: [{ field }] } }, JSON.stringify(body))
  const { url } = await tenant.hook('i.bank.example')
  const range = (body: object) => owner('POST', `${url}/replay`, body)
  t.match(await range({ to: '2026-01-01T00:00:00Z' }), { status: 422, body: { errors: [{ field: 'from' }] } })
  t.match(await range({ from: '2026-01-01T00:00:00Z', to: '2025-01-01T00:00:00Z' }), {
    status: 422,
    body: { errors: [{ field: 'to' }] },
  })
  t.equal((await owner('GET', `${url}/deliveries?state=lost`)).status, 422)
  t.equal((await owner('GET', `${url}/deliveries/1`)).status, 404)
  t.equal((await owner('GET', `${url}/deliveries/x`)).status, 422)
})

t.test('changes are guarded by versions, and pages follow each other', async (t) => {
  const { url } = await tenant.hook('j.bank.example')
  const before = await owner('GET', url)
  t.equal(before.headers['etag'], '"1"')
  const change = { description: 'of the warehouse', events: ['store.*', 'store.order.*'] }
  t.match(await owner('PATCH', url, change, { 'if-match': '"1"' }), {
    status: 200,
    body: { ...change, version: 2 },
  })
  t.match(await owner('PATCH', url, change, { 'if-match': '"1"' }), { status: 412 })
  t.match(await owner('DELETE', url, undefined, { 'if-match': '"1"' }), { status: 412 })
  const first = await owner('GET', '/v1/tenant/webhooks?limit=2')
  t.equal(items(first).length, 2)
  const second = await owner('GET', `/v1/tenant/webhooks?limit=2&cursor=${String(first.body['cursor'])}`)
  const ids = [...items(first), ...items(second)].map(({ id }) => id)
  t.equal(new Set(ids).size, 4)
  const admin = lab.database.admin
  const { rows } = await admin.query(
    "select action from kernel.audit where entity = 'webhook' and record_id = $1 order by id",
    [url.split('/').at(-1)],
  )
  t.strictSame(
    rows.map((row: { action: string }) => row.action),
    ['created', 'changed'],
  )
})

t.test('a tenant has a bounded number of them', async (t) => {
  const crowded = await lab.open()
  for (let at = 0; at < 50; at += 1) await crowded.hook('k.bank.example')
  const body = { url: 'https://k.bank.example/', events: ['*'] }
  const [one, two] = await Promise.all([1, 2].map(() => crowded.owner('POST', '/v1/tenant/webhooks', body)))
  t.match([one, two], [{ status: 409, body: { code: 'TOO_MANY' } }, { status: 409 }])
})

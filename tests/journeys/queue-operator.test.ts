// What an operator sees of the queues and does to what was given up, over his API.
import t from 'tap'
import { testKernel } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'

const at = await testKernel(t, { operatorToken })
const operator = operatorOf(at.send)
const { admin } = at.database
const acme = await at.openTenant()
const other = await at.openTenant()

interface Given {
  readonly tenant: string
  readonly state: string
  readonly name?: string
  readonly code?: string
  readonly uniqueKey?: string
}

/** A task as an attempt left it. */
async function task({ tenant, state, name = 'oms.order.shipped', code, uniqueKey }: Given): Promise<string> {
  const error = code === undefined ? null : JSON.stringify({ code, message: 'It did not work.' })
  const { rows } = await admin.query<{ id: string }>(
    `insert into kernel.task (tenant_id, kind, queue, module, name, state, attempt, attempts_max, actor, request_id,
                              error, run_at, input, unique_key)
     values ($1, 'event', 'events.finance', 'finance', $2, $3, 12, 12, 'somebody', 'r1', $4,
             now() - interval '90 seconds', '{"secret": "of the tenant"}', $5) returning id::text`,
    [tenant, name, state, error, uniqueKey ?? null],
  )
  return rows[0]?.id ?? ''
}
const stateOf = async (id: string): Promise<string> =>
  (await admin.query<{ state: string }>('select state from kernel.task where id = $1', [id])).rows[0]
    ?.state ?? 'gone'

// Nothing that is put into the tables here is to be worked off.
const paused = await operator('POST', '/v1/operator/pauses', { module: 'finance', reason: 'a test looks' })

t.test('pauses', async (t) => {
  t.match(paused, { status: 201, body: { module: 'finance', reason: 'a test looks', pausedBy: 'operator' } })
  const again = await operator('POST', '/v1/operator/pauses', { module: 'finance' })
  t.match(again, { status: 200, body: { id: paused.body['id'] } }, 'are made once')
  const one = await operator('POST', '/v1/operator/pauses', { tenant: acme.slug, module: 'finance' })
  t.match(one, { status: 201, body: { tenant: acme.id, module: 'finance' } })
  t.match((await operator('GET', '/v1/operator/pauses')).body, { items: [{}, { tenant: acme.id }] })
  t.equal((await operator('DELETE', `/v1/operator/pauses/${one.body['id']}`)).status, 204)
  t.match(await operator('DELETE', `/v1/operator/pauses/${one.body['id']}`), {
    status: 404,
    body: { code: 'PAUSE_NOT_FOUND' },
  })
  t.match(await operator('POST', '/v1/operator/pauses', { reason: 'all' }), { status: 422 })
  t.match(await operator('POST', '/v1/operator/pauses', { module: 'nothing' }), {
    status: 404,
    body: { code: 'MODULE_NOT_FOUND' },
  })
  t.match(await operator('POST', '/v1/operator/pauses', { tenant: 'nobody' }), {
    status: 404,
    body: { code: 'TENANT_NOT_FOUND' },
  })
})

t.test('what there is to do, by queue and by tenant', async (t) => {
  await task({ tenant: acme.id, state: 'waiting' })
  await task({ tenant: acme.id, state: 'dead', code: 'PLUGIN_FAILED' })
  await task({ tenant: other.id, state: 'waiting' })
  await task({ tenant: other.id, state: 'done' })
  const { body } = await operator('GET', '/v1/operator/queues')
  t.match(body, { items: [{ queue: 'events.finance', waiting: 2, due: 2, running: 0, dead: 1 }] })
  const [queue] = body['items'] as { oldestSeconds: number }[]
  t.ok(Number(queue?.oldestSeconds) >= 90, 'since when the oldest waits')
  const whose = await operator('GET', '/v1/operator/queues/tenants?queue=events.finance&limit=1')
  t.match(whose.body, { items: [{ tenant: acme.id, slug: acme.slug, waiting: 1, dead: 1 }] })
  t.match((await operator('GET', '/v1/operator/queues/tenants?queue=jobs.finance')).body, { items: [] })
})

t.test('tasks that were given up', async (t) => {
  const first = await task({ tenant: acme.id, state: 'dead', name: 'oms.order.lost', code: 'NO_STOCK' })
  const second = await task({ tenant: acme.id, state: 'dead', name: 'oms.order.lost', code: 'NO_STOCK' })
  const list = await operator(
    'GET',
    `/v1/operator/tasks?tenant=${acme.slug}&state=dead&code=NO_STOCK&limit=1`,
  )
  t.match(list.body, { items: [{ id: second, error: { code: 'NO_STOCK' }, attempt: 12 }], cursor: second })
  t.notMatch(JSON.stringify(list.body), /of the tenant/, 'without what they hold')
  const rest = await operator('GET', `/v1/operator/tasks?state=dead&code=NO_STOCK&cursor=${second}`)
  t.match(rest.body, { items: [{ id: first }], cursor: undefined })
  t.match(await operator('GET', `/v1/operator/tasks/${acme.slug}/${first}`), {
    status: 200,
    body: { id: first },
  })
  t.match(await operator('GET', `/v1/operator/tasks/${other.slug}/${first}`), {
    status: 404,
    body: { code: 'TASK_NOT_FOUND' },
  })

  const retried = await operator('POST', `/v1/operator/tasks/${acme.slug}/${first}/retry`)
  t.match(retried, {
    status: 200,
    body: { state: 'waiting', attempt: 12, attemptsMax: 24, error: { code: 'NO_STOCK' } },
  })
  t.match(await operator('POST', `/v1/operator/tasks/${acme.slug}/${first}/retry`), {
    status: 409,
    body: { code: 'TASK_STATE', detail: /is waiting/ },
  })
  t.match(await operator('POST', `/v1/operator/tasks/${acme.slug}/${second}/discard`), {
    status: 200,
    body: { state: 'cancelled' },
  })
  const trail = await acme.owner('GET', '/v1/tenant/audit?entity=task')
  t.match(trail.body, { items: [{ action: 'discarded' }, { action: 'retried', record: first }] })
})

t.test('many at once, and only those that are meant', async (t) => {
  const mine = await task({ tenant: acme.id, state: 'dead', code: 'TOO_LATE' })
  const theirs = await task({ tenant: other.id, state: 'dead', code: 'TOO_LATE' })
  const waiting = await task({ tenant: acme.id, state: 'waiting', code: 'TOO_LATE' })
  const body = { tenant: acme.slug, code: 'TOO_LATE' }
  t.match(await operator('POST', '/v1/operator/tasks/discard', body), { status: 200, body: { tasks: 1 } })
  t.match(
    [await stateOf(mine), await stateOf(theirs), await stateOf(waiting)],
    ['cancelled', 'dead', 'waiting'],
  )
  t.match(
    await operator('POST', '/v1/operator/tasks/retry', {}),
    { status: 422 },
    'everything is nothing said',
  )
  t.match(await operator('POST', '/v1/operator/tasks/retry', { cod: 'TOO_LATE' }), { status: 422 })
})

t.test('one whose key waits already is done once more all the same', async (t) => {
  const dead = await task({ tenant: acme.id, state: 'dead', uniqueKey: 'k' })
  await task({ tenant: acme.id, state: 'waiting', uniqueKey: 'k' })
  t.equal((await operator('POST', `/v1/operator/tasks/${acme.slug}/${dead}/retry`)).status, 200)
})

t.test('is the operator, and nobody else', async (t) => {
  for (const [method, url] of [
    ['GET', '/v1/operator/queues'],
    ['GET', '/v1/operator/queues/tenants'],
    ['GET', '/v1/operator/tasks'],
    ['POST', '/v1/operator/tasks/retry'],
    ['POST', '/v1/operator/tasks/discard'],
    ['GET', '/v1/operator/pauses'],
    ['POST', '/v1/operator/pauses'],
  ] as const) {
    t.equal(
      (await acme.owner(method, url, method === 'POST' ? { module: 'finance' } : undefined)).status,
      401,
      url,
    )
    t.equal((await at.send(method, url)).status, 401, url)
  }
})

t.test('the metrics tell depth, age and what was given up, and name no tenant', async (t) => {
  const { body } = await at.kernel.inject({ method: 'GET', url: '/metrics', remoteAddress: '127.0.0.1' })
  t.match(body, /plinth_queue_tasks\{queue="events\.finance",state="dead"\} [1-9]/)
  t.match(body, /plinth_queue_oldest_seconds\{queue="events\.finance"\} [1-9]/)
  t.match(body, /plinth_outbox_events \d/)
  t.notMatch(body, new RegExp(acme.id))
})

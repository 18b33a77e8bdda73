// The organisation over HTTP: trees by date, who reports to whom, what is refused, and two changes at once.
import t from 'tap'
import { type Reply, type Send, testKernel } from '../support/kernel.ts'

const base = '/v1/organisation'
const codes = (reply: Reply, list: string): string[] =>
  (reply.body[list] as { code: string; depth: number }[]).map(({ code, depth }) => `${depth} ${code}`)

/** The id of what was made. */
async function add(send: Send, path: string, body: object): Promise<string> {
  const reply = await send('POST', `${base}/${path}`, body)
  if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
  return String(reply.body['id'])
}

const unit = (send: Send, code: string, kind = 'department', dates: object = {}) =>
  add(send, 'units', { code, name: `Unit ${code}`, kind, validFrom: '2026-01-01', ...dates })
const place = (child: string, parent: string, validFrom = '2026-01-01', more: object = {}) => ({
  unit: child,
  parent,
  validFrom,
  ...more,
})

t.test('the organisation', async (t) => {
  const kernel = await testKernel(t)
  const tenant = await kernel.openTenant('organisation')
  const { owner } = tenant
  const company = await unit(owner, 'ACME', 'legalEntity', { country: 'IN' })
  const north = await unit(owner, 'NORTH', 'branch')
  const sales = await unit(owner, 'SALES')
  const field = await unit(owner, 'FIELD', 'costCentre')

  t.test('units hang in a tree that has dates', async (t) => {
    await add(owner, 'placements', place(north, company))
    await add(owner, 'placements', place(sales, company, '2026-01-01', { validTo: '2026-06-30' }))
    await add(owner, 'placements', place(sales, north, '2026-07-01'))
    await add(owner, 'placements', place(field, sales))
    const spring = await owner('GET', `${base}/tree?on=2026-03-01`)
    t.same(codes(spring, 'units'), ['0 ACME', '1 NORTH', '1 SALES', '2 FIELD'])
    const autumn = await owner('GET', `${base}/tree?on=2026-09-01`)
    t.same(codes(autumn, 'units'), ['0 ACME', '1 NORTH', '2 SALES', '3 FIELD'])
    t.same(codes(await owner('GET', `${base}/tree?on=2025-12-31`), 'units'), [])
    const below = await owner('GET', `${base}/tree?on=2026-09-01&root=${sales}`)
    t.same(codes(below, 'units'), ['0 SALES', '1 FIELD'])
    const path = await owner('GET', `${base}/path?on=2026-09-01&unit=${field}`)
    t.same(path.body['units'], [{ unit: company }, { unit: north }, { unit: sales }, { unit: field }])
  })

  t.test('what would be no tree on some day is refused, and the day or the other link named', async (t) => {
    const refused = (body: object) => owner('POST', `${base}/placements`, body)
    t.match(await refused(place(company, field, '2026-08-01')), {
      status: 422,
      body: { code: 'LINK_CLOSES_CIRCLE', detail: /2026-08-01/ },
    })
    t.match(await refused(place(company, company)), { body: { code: 'LINK_CLOSES_CIRCLE' } })
    t.match(await refused(place(sales, company, '2026-12-01')), {
      status: 409,
      body: { code: 'LINK_OVERLAPS', errors: [{ field: 'validFrom' }] },
    })
    t.match(await refused(place(company, field, '2025-08-01')), {
      status: 422,
      body: { code: 'PERIOD_OUTSIDE', errors: [{ field: 'unit' }] },
    })
    t.match(await refused(place(company, north, '2026-08-01', { validTo: '2026-07-31' })), {
      status: 422,
      body: { code: 'PERIOD_REVERSED', errors: [{ field: 'validTo' }] },
    })
    t.match(await owner('PATCH', `${base}/units/${north}`, { validTo: '2026-08-31' }), {
      status: 409,
      body: { code: 'PERIOD_IN_USE', errors: [{ field: 'validTo' }] },
    })
    t.match(await owner('DELETE', `${base}/units/${north}`), { status: 409, body: { code: 'RECORD_IN_USE' } })
  })

  t.test('a unit moves from a day on, and its past stays as it was', async (t) => {
    const moved = await owner('POST', `${base}/units/${field}/move`, { parent: company, on: '2026-10-01' })
    t.equal(moved.status, 200, JSON.stringify(moved.body))
    t.same(codes(await owner('GET', `${base}/tree?on=2026-09-30`), 'units').at(-1), '3 FIELD')
    const after = await owner('GET', `${base}/tree?on=2026-10-01`)
    t.same(codes(after, 'units'), ['0 ACME', '1 FIELD', '1 NORTH', '2 SALES'])
    t.equal((await owner('POST', `${base}/units/${field}/move`, { on: '2026-11-01' })).status, 200)
    const alone = await owner('GET', `${base}/tree?on=2026-11-01`)
    t.same(codes(alone, 'units'), ['0 ACME', '1 NORTH', '2 SALES', '0 FIELD'])
    t.match(await owner('POST', `${base}/units/${company}/move`, { parent: sales, on: '2026-10-01' }), {
      body: { code: 'LINK_CLOSES_CIRCLE' },
    })
  })

  t.test('people hold positions that report to each other', async (t) => {
    const boss = await kernel.addMember(tenant, 'member')
    const lead = await kernel.addMember(tenant, 'member')
    const clerk = await kernel.addMember(tenant, 'member')
    const { items } = (await owner('GET', '/v1/tenant/members')).body as { items: { userId: string }[] }
    const ids = items.map(({ userId }) => userId)
    t.equal((await boss('POST', `${base}/units`, {})).status, 403)
    const position = (code: string, at: string, more: object = {}) =>
      add(owner, 'positions', { code, title: code, unit: at, validFrom: '2026-01-01', ...more })
    const ceo = await position('CEO', company)
    const head = await position('HEAD', north)
    const desk = await position('DESK', sales, { seats: 2 })
    const report = (from: string, manager: string) =>
      owner('POST', `${base}/reporting-lines`, { position: from, manager, validFrom: '2026-01-01' })
    t.equal((await report(head, ceo)).status, 201)
    t.equal((await report(desk, head)).status, 201)
    t.match(await report(ceo, desk), { status: 422, body: { code: 'LINK_CLOSES_CIRCLE' } })
    const hold = (at: string, person: string, more: object = {}) =>
      owner('POST', `${base}/assignments`, { position: at, person, validFrom: '2026-01-01', ...more })
    const [a = '', b = '', c = '', d = ''] = ids
    t.equal((await hold(ceo, a)).status, 201)
    t.equal((await hold(head, b)).status, 201)
    t.equal((await hold(desk, c)).status, 201)
    t.equal((await hold(desk, d, { validTo: '2026-06-30' })).status, 201)
    t.match(await hold(desk, c, { validFrom: '2026-08-01' }), {
      status: 409,
      body: { code: 'PERSON_ASSIGNED' },
    })
    t.match(await hold(desk, a, { validFrom: '2026-06-01' }), {
      status: 409,
      body: { code: 'POSITION_FULL' },
    })
    t.equal((await hold(desk, a, { validFrom: '2026-07-01' })).status, 201)
    const chart = await owner('GET', `${base}/org-chart?on=2026-03-01`)
    t.same(codes(chart, 'positions'), ['0 CEO', '1 HEAD', '2 DESK'])
    t.same(
      (chart.body['positions'] as { people: { person: string }[] }[]).map(({ people }) =>
        people.map(({ person }) => person).sort(),
      ),
      [[a], [b], [c, d].sort()],
    )
    const superiors = await owner('GET', `${base}/superiors?on=2026-03-01&person=${c}`)
    t.match(superiors.body['superiors'], [
      { position: head, level: 1, people: [{ person: b }] },
      { position: ceo, level: 2, people: [{ person: a }] },
    ])
    const seen = await Promise.all(
      [owner, boss, lead, clerk].map(async (send) => {
        const team = await send('GET', `${base}/my-team?on=2026-03-01`)
        const units = await send('GET', `${base}/my-units?on=2026-03-01`)
        return [team.body['people'], units.body['units']].map((list) => (list as unknown[]).length).join(' ')
      }),
    )
    // Of the four people: the one at the top, the head of the branch, and two at the desk.
    t.same(seen.sort(), ['0 2', '0 2', '2 1', '3 4'])
    t.match(await owner('GET', `${base}/my-team?on=tomorrow`), { status: 422 })
  })

  t.test('of changes at once that close a circle together one is refused', async (t) => {
    for (let round = 0; round < 5; round += 1) {
      const ring = await Promise.all(['A', 'B', 'C'].map((code) => unit(owner, `${code}${round}`)))
      const replies = await Promise.all(
        ring.map((child, at) =>
          owner('POST', `${base}/placements`, place(child, String(ring[(at + 1) % 3]))),
        ),
      )
      t.same(replies.map(({ status }) => status).sort(), [201, 201, 422])
    }
  })

  t.test('of two placements of one unit at once one is refused', async (t) => {
    const child = await unit(owner, 'TWICE')
    const replies = await Promise.all([
      owner('POST', `${base}/placements`, place(child, company)),
      owner('POST', `${base}/placements`, place(child, north)),
    ])
    t.same(replies.map(({ status }) => status).sort(), [201, 409])
  })

  t.test('another tenant has a tree of its own', async (t) => {
    const other = await kernel.openTenant('organisation')
    t.same((await other.owner('GET', `${base}/tree`)).body['units'], [])
    const own = await unit(other.owner, 'ACME')
    t.match(await other.owner('POST', `${base}/placements`, place(own, company)), {
      status: 422,
      body: { code: 'NODE_UNKNOWN', errors: [{ field: 'parent' }] },
    })
    t.match(await other.owner('GET', `${base}/path?unit=${company}&on=2026-03-01`), { body: { units: [] } })
  })
})

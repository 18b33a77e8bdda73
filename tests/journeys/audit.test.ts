// The audit trail as an administrator meets it: who did what to what, from where; personal fields; CSV; sign-ins.
import { setTimeout as sleep } from 'node:timers/promises'
import Papa from 'papaparse'
import t from 'tap'
import { csvText } from '../../kernel/src/audit/export-audit.ts'
import { redactAudit, redacted } from '../../kernel/src/audit/redact-audit.ts'
import type { AuditItem } from '../../kernel/src/audit/search-audit.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Reply, type Send, testKernel } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'

const people = `
import { definePlugin, entity, t } from '@plinth/sdk'
const person = entity('Person', {
  code: t.text(), salary: t.money().optional().personal(), home: t.text().personal().optional(),
  phones: t.lines({ kind: t.text(), number: t.text().personal() }).optional(),
})
export default definePlugin({ name: 'people', title: 'People', entities: { person } })`

const root = await makeInstallation(t, { '@test/people': { source: people } })
const at = await testKernel(t, { pluginsRoot: root, operatorToken })
const { send } = at
const operator = operatorOf(send)

const mine = await at.openTenant('people')
const theirs = await at.openTenant('people')
const admin = await at.addMember(mine, 'admin')
const member = await at.addMember(mine, 'member')

const items = (reply: Reply) => reply.body['items'] as unknown as AuditItem[]
const trail = async (who: Send, query = '') => items(await who('GET', `/v1/tenant/audit?${query}`))
const traceId = 'a1'.repeat(16)
const headers = {
  'user-agent': 'Client/1.0 (\u00e9)',
  traceparent: `00-${traceId}-${'b2'.repeat(8)}-01`,
  'x-request-id': 'request-of-the-test',
}
const first = {
  code: '=cmd()',
  salary: { amount: '50000.00', currency: 'USD' },
  home: '1 Main Street',
  phones: [{ kind: 'mobile', number: '555-0100' }],
}
const created = await mine.owner('POST', '/v1/people/persons', first, headers)
const id = String(created.body['id'])
await admin('PATCH', `/v1/people/persons/${id}`, { code: 'P2' })
await theirs.owner('POST', '/v1/people/persons', { code: 'THEIRS' })

t.test('a change says who, what, before and after, from where and in which trace', async (t) => {
  const [changed, made] = await trail(mine.owner, `record=${id}`)
  t.match(made, {
    module: 'people',
    entity: 'person',
    record: id,
    action: 'create',
    via: 'session',
    before: null,
    after: first,
    requestId: 'request-of-the-test',
    traceId,
    address: '127.0.0.1',
    agent: 'Client/1.0 (?)',
    actor: { name: 'A Person' },
  })
  t.match(changed, { action: 'update', before: { code: '=cmd()' }, after: { code: 'P2' } })
  t.not(changed?.actor.id, made?.actor.id)
  t.match(created.headers['traceparent'], new RegExp(`^00-${traceId}-(?!b2b2)[0-9a-f]{16}-01$`))
  const { headers: fresh } = await send('GET', '/health/live', undefined, { traceparent: '00-0-0-00' })
  t.match(fresh['traceparent'], /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
})

t.test(
  'who may read a record reads its history, without names and addresses, and nobody else does',
  async (t) => {
    const path = `/v1/people/persons/${id}/history`
    const [changed, made] = items(await mine.owner('GET', path))
    t.match(made, { action: 'create', before: null, after: { ...first, id } })
    t.match(changed, { action: 'update', before: { code: '=cmd()' }, after: { code: 'P2' } })
    t.notMatch(JSON.stringify([changed, made]), /127\.0\.0\.1|A Person|Client/)
    const { body } = await mine.owner('GET', `${path}?limit=1`)
    t.match(items(await mine.owner('GET', `${path}?limit=1&cursor=${body['cursor']}`)), [
      { action: 'create' },
    ])
    for (const [query = '', field] of [
      ['limit=0', 'limit'],
      ['colour=red', 'colour'],
    ])
      t.match(await mine.owner('GET', `${path}?${query}`), { status: 422, body: { errors: [{ field }] } })
    t.match(await member('GET', path), { status: 403 })
    t.match(await theirs.owner('GET', path), { status: 404 })
    t.match(await mine.owner('GET', '/v1/people/persons/x/history'), { status: 404 })
  },
)

t.test('each filter narrows, pages follow each other, and a cursor leads nowhere else', async (t) => {
  const all = await trail(mine.owner, 'limit=200')
  t.ok(all.length > 5)
  t.same(
    all.filter((one) => JSON.stringify(one).includes('THEIRS')),
    [],
    'nothing of the other tenant',
  )
  const paged: AuditItem[] = []
  for (let cursor = ''; ; ) {
    const page = await mine.owner('GET', `/v1/tenant/audit?limit=2${cursor && `&cursor=${cursor}`}`)
    paged.push(...items(page))
    cursor = String(page.body['cursor'] ?? '')
    if (!cursor) break
  }
  t.same(paged, all)
  const [newest] = all
  for (const [query, expected] of [
    ['module=people', (one) => one.module === 'people'],
    ['entity=membership&action=added', (one) => one.entity === 'membership' && one.action === 'added'],
    [`actor=${newest?.actor.id}`, (one) => one.actor.id === newest?.actor.id],
    ['requestId=request-of-the-test', (one) => one.requestId === 'request-of-the-test'],
    ['from=2020-01-01T00:00:00Z', () => true],
    ['to=2020-01-01T00:00:00Z', () => false],
    [`from=${newest?.at}`, (one) => one.at >= String(newest?.at)],
    [`to=${newest?.at}`, (one) => one.at < String(newest?.at)],
  ] as [string, (one: AuditItem) => boolean][]) {
    t.same(await trail(mine.owner, `limit=200&${query}`), all.filter(expected), query)
  }
  const page = await theirs.owner('GET', '/v1/tenant/audit?limit=1')
  const other = await trail(mine.owner, `limit=200&cursor=${page.body['cursor']}`)
  t.ok(
    other.every((one) => all.some(({ id: known }) => known === one.id)),
    'with the cursor of another tenant',
  )
})

t.test('bad input is refused and named; a member reads nothing; nor does another tenant', async (t) => {
  for (const [query = '', field] of [
    ['from=yesterday', 'from'],
    ['from=2026-06-30T23:59:60Z', 'from'],
    ['to=0000-01-01T00:00:00Z', 'to'],
    ['limit=0', 'limit'],
    ['actor=', 'actor'],
    ['colour=red', 'colour'],
  ])
    t.match(
      await mine.owner('GET', `/v1/tenant/audit?${query}`),
      { status: 422, body: { errors: [{ field }] } },
      query,
    )
  for (const cursor of [
    'x',
    Buffer.from('9999999999999999999.1').toString('base64url'),
    Buffer.from('1').toString('base64url'),
  ])
    t.match(await mine.owner('GET', `/v1/tenant/audit?cursor=${cursor}`), {
      body: { code: 'CURSOR_INVALID' },
    })
  for (const path of ['audit', 'audit.csv', 'audit/anchor', 'sign-ins']) {
    t.match(await member('GET', `/v1/tenant/${path}`), { status: 403, body: { code: 'FORBIDDEN' } }, path)
    const foreign = { 'x-tenant-id': theirs.slug }
    t.match(await mine.owner('GET', `/v1/tenant/${path}`, undefined, foreign), { status: /403|404/ }, path)
    t.match(await send('GET', `/v1/tenant/${path}`), { status: 401 }, path)
  }
  for (const path of ['audit', 'audit/verification', 'audit/anchors'])
    t.match(await mine.owner('GET', `/v1/operator/${path}`), { status: /401|403/ }, path)
})

t.test('who may not see what is personal sees that it was changed, and not what it is', async (t) => {
  const [, made] = await trail(admin, `record=${id}`)
  t.match(made, {
    actor: { name: undefined },
    address: redacted,
    agent: redacted,
    after: {
      code: '=cmd()',
      salary: redacted,
      home: redacted,
      phones: [{ kind: 'mobile', number: redacted }],
    },
  })
  const [added] = await trail(admin, 'entity=membership&action=added')
  t.match(added?.after, { email: redacted, name: redacted, role: 'member' })
  const secret = /50000|Main Street|555-0100|@example\.com|127\.0\.0\.1|A Person/
  t.notMatch(JSON.stringify(await trail(admin, 'limit=200')), secret)
  t.notMatch(JSON.stringify((await admin('GET', '/v1/tenant/sign-ins')).body), secret)
  t.match(JSON.stringify(await trail(mine.owner, 'limit=200')), secret, 'a positive control')
})

t.test('with auditPersonal down, an admin sees a salary; a module that is gone shows nothing', async (t) => {
  const [, made] = await trail(mine.owner, `record=${id}`)
  if (!made) return t.fail('no row')
  t.match(redactAudit(made, () => undefined, new Set(['auditPersonal'])).after, { home: '1 Main Street' })
  t.match(redactAudit(made, () => undefined).after, { code: redacted, home: redacted, id })
})

t.test(
  'the export is CSV that no spreadsheet runs, redacted as the list is, and in the trail itself',
  async (t) => {
    const read = async (who: Send) => {
      const reply = await who('GET', `/v1/tenant/audit.csv?record=${id}`)
      t.match(reply.headers, {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="audit-${mine.slug}.csv"`,
      })
      return Papa.parse<Record<string, string>>(String(reply.text).trimEnd(), { header: true }).data
    }
    const rows = await read(mine.owner)
    t.equal(rows.length, 2)
    t.match(rows[1], {
      action: 'create',
      record: id,
      before: '',
      after: /Main Street/,
      agent: 'Client/1.0 (?)',
    })
    t.match((await read(admin))[1], { after: /"home":"\(personal\)"/, actorName: '', address: redacted })
    t.match(await trail(mine.owner, 'entity=audit&action=exported'), [
      { after: { filter: { record: id }, personal: false } },
      { after: { filter: { record: id }, personal: true }, record: mine.id },
    ])
  },
)

t.test('with csvFormulas down, a cell is a formula', async (t) => {
  const item = {
    ...(await trail(mine.owner, `record=${id}`))[1],
    action: '=HYPERLINK("http://x")',
  } as AuditItem
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\uff1d1']) {
    const parse = (off?: Parameters<typeof csvText>[2]) =>
      Papa.parse<Record<string, string>>(csvText([{ ...item, record: text }], true, off), { header: true })
        .data[0]
    t.equal(parse()?.['record'], `'${text}`, JSON.stringify(text))
    t.equal(parse(new Set(['csvFormulas']))?.['record'], text)
  }
  const line = csvText([{ ...item, record: 'a "b", c\nd', agent: "O'Neil" }], true)
  t.match(Papa.parse(line, { header: true }).data[0], { record: 'a "b", c\nd', agent: "O'Neil", at: item.at })
})

t.test(
  'owners see how members signed in and failed to, since they are members, and of nobody else',
  async (t) => {
    const email = 'signs-in@example.com'
    const newcomer = await at.signUp(mine.slug, email)
    const enter = (password: string) => send('POST', '/v1/auth/sign-in/email', { email, password }, headers)
    await enter('wrong before he was a member')
    await mine.owner('POST', '/v1/tenant/members', { email, role: 'member' })
    await sleep(5)
    t.match(await enter('wrong'), { status: 401 })
    t.match(await enter('correct horse battery'), { status: 200 })
    await newcomer('POST', '/v1/auth/sign-out')
    const [out, entered, failed, ...rest] = items(await mine.owner('GET', '/v1/tenant/sign-ins'))
    t.match(out, { action: 'signed-out', module: 'identity' })
    t.match(entered, { action: 'signed-in', after: { with: 'password' }, traceId, agent: 'Client/1.0 (?)' })
    t.match(failed, { action: 'sign-in-failed', actor: { id: entered?.record } })
    t.ok(
      rest.every(({ record }) => record !== entered?.record),
      'nothing from before',
    )
    t.same(items(await theirs.owner('GET', `/v1/tenant/sign-ins?actor=${entered?.record}`)), [])
    t.match(await send('POST', '/v1/auth/sign-in/email', { email: 'no@example.com', password: 'x' }), {
      status: 401,
    })
    const [nobody] = items(await operator('GET', '/v1/operator/audit?action=sign-in-failed&limit=1'))
    t.match(nobody, { actor: { id: 'nobody' }, record: 'nobody' })
    t.notMatch(
      JSON.stringify(items(await operator('GET', '/v1/operator/audit?limit=200'))),
      /correct horse|no@example/,
    )
  },
)

t.test('an operator verifies any trail, finds what was changed, and keeps anchors', async (t) => {
  const verified = async (query: string) =>
    (await operator('GET', `/v1/operator/audit/verification?${query}`)).body
  for (let waiting: unknown = 1; waiting !== 0; await sleep(50))
    waiting = (await verified(`tenant=${mine.slug}`))['waiting']
  const found = await verified(`tenant=${mine.slug}`)
  t.match(found, { tenant: mine.id, ok: true, problems: [], anchor: { hash: /^[0-9a-f]{64}$/ } })
  t.match(await verified(''), { ok: true })
  const { body: anchor } = await mine.owner('GET', '/v1/tenant/audit/anchor')
  const kept = `anchor=${anchor['seq']}:${anchor['hash']}`
  t.match(await verified(`tenant=${mine.slug}&${kept}`), { ok: true })
  const anchors = items(await operator('GET', '/v1/operator/audit/anchors'))
  t.ok(anchors.some((one) => JSON.stringify(one).includes(String(anchor['hash']))))
  await at.database.admin.query(
    "UPDATE kernel.audit SET actor = 'eve' WHERE record_id = $1 AND action = 'create'",
    [id],
  )
  t.match(await verified(`tenant=${mine.slug}`), { ok: false, problems: [/not as they were sealed/] })
  t.match(await verified(`tenant=${theirs.slug}`), { ok: true })
  t.match(await operator('GET', '/v1/operator/audit/verification?tenant=nobody'), { status: 404 })
  t.match(await operator('GET', '/v1/operator/audit/verification?anchor=1'), {
    body: { errors: [{ field: 'anchor' }] },
  })
})

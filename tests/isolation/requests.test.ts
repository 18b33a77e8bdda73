// Attacks by requests, by a host that was taken over and by what actions answer, each through a whole kernel; after each
// everybody else is looked after. Then the same with walls down, one at a time.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { lookAfter } from '../support/aftermath.ts'
import { breakIn, canary, type Place } from '../support/break-in.ts'
import type { Reply } from '../support/kernel.ts'
import { type AnswerAttack, answerAttacks, type CallAttack, callAttacks } from './call-attacks.fixture.ts'
import { type RequestAttack, requestAttacks } from './request-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

function request(place: Place, one: RequestAttack): Promise<Reply> {
  const [method, url, body, headers] = one.request(place)
  return (one.asMember ? place.member : place.enemy.owner)(method, url, body, headers)
}

const call = (place: Place, { calls }: CallAttack): Promise<Reply> =>
  place.enemy.owner('POST', '/v1/burglar/calls', { calls: JSON.stringify(calls(place)) })

const say = (place: Place, { answer }: AnswerAttack): Promise<Reply> =>
  place.enemy.owner('POST', `/v1/burglar/notes/${place.ownNote}/say`, {
    answer: JSON.stringify(answer(place)),
  })

async function dropPolicies({ kernel }: Place): Promise<void> {
  for (const table of ['plugin_vault.secret', 'plugin_burglar.note'])
    await kernel.database.admin.query(`alter table ${table} disable row level security`)
}

t.test('with every wall', async (t) => {
  const place = await breakIn(t)
  const attackWith = async <Row extends { attack: string; expected: RegExp; echoes?: boolean }>(
    t: Test,
    rows: readonly Row[],
    make: (place: Place, row: Row) => Promise<Reply>,
  ) => {
    for (const row of rows) {
      const { attack, expected, echoes = false } = row
      await t.test(attack, async (t) => {
        const before = place.lines.length
        const reply = await make(place, row)
        t.match(told(reply), expected)
        await lookAfter(t, place, { attack, reply, before, echoes })
      })
    }
  }

  await t.test('requests', (t) => attackWith(t, requestAttacks, request))
  await t.test('calls of a host that was taken over', (t) => attackWith(t, callAttacks, call))
  await t.test('answers of an action', (t) => attackWith(t, answerAttacks, say))

  await t.test('without row-level security each statement still names its tenant', async (t) => {
    await dropPolicies(place)
    // The enemy has taken the same value by now, and would find his own.
    const { admin } = place.kernel.database
    await admin.query('delete from plugin_vault.secret where tenant_id = $1 and code = $2', [
      place.enemy.id,
      canary,
    ])
    for (const row of requestAttacks)
      if (row.without?.[0] === 'tenantCondition')
        t.match(told(await request(place, row)), row.expected, row.attack)
    for (const row of callAttacks)
      if (row.without?.[0] === 'tenantCondition')
        t.match(told(await call(place, row)), row.expected, row.attack)
  })
})

async function succeed(t: Test, place: Place, walls: readonly Defence[]): Promise<void> {
  const isDown = (one: { readonly without?: readonly [Defence, RegExp] }) =>
    one.without !== undefined && walls.includes(one.without[0])
  for (const row of requestAttacks.filter(isDown))
    t.match(told(await request(place, row)), row.without?.[1], row.attack)
  for (const row of callAttacks.filter(isDown))
    t.match(told(await call(place, row)), row.without?.[1], row.attack)
}

// Walls that no request meets together are down together: a kernel takes seconds to start.
for (const walls of [
  ['membership', 'serviceGrant'],
  ['entitlement', 'callSchemas'],
] as const) {
  t.test(`without ${walls.join(' or ')} what they stop succeeds`, async (t) => {
    await succeed(t, await breakIn(t, new Set<Defence>(walls)), walls)
  })
}

t.test('without the tenant in each statement', async (t) => {
  const place = await breakIn(t, new Set<Defence>(['tenantCondition', 'operatorToken']))
  await t.test('row-level security still keeps the tenants apart', async (t) => {
    for (const row of requestAttacks)
      if (row.without?.[0] === 'tenantCondition')
        t.match(told(await request(place, row)), row.expected, row.attack)
  })
  await t.test('and without both the other tenant is read', async (t) => {
    await dropPolicies(place)
    await succeed(t, place, ['tenantCondition', 'operatorToken'])
  })
})

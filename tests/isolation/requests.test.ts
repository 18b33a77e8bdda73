// Attacks by requests, by a host that was taken over and by what actions answer, each through a whole kernel; after each
// everybody else is looked after. Then the same with walls down, one at a time.
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { lookAfter } from '../support/aftermath.ts'
import { breakIn, canary, type Place } from '../support/break-in.ts'
import type { Reply } from '../support/kernel.ts'
import { type AnswerAttack, answerAttacks, type CallAttack, callAttacks } from './call-attacks.fixture.ts'
import { type RequestAttack, requestAttacks } from './request-attacks.fixture.ts'
import { socketAttacks } from './socket-attacks.fixture.ts'

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

/** Of a person of his own, whom the enemy has made an owner too. */
async function tokenOf({ kernel, enemy }: Place): Promise<string> {
  const email = 'on-a-socket@example.com'
  const account = { name: 'A Person', email, password: 'correct horse battery' }
  const { body } = await kernel.send('POST', '/v1/auth/sign-up/email', account)
  await enemy.owner('POST', '/v1/tenant/members', { email, role: 'owner' })
  return String(body['token'])
}

/** All that comes back until the other side has ended, or has said nothing for two seconds. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (part) => {
    answer += part
  })
  // Who refuses a request may cut the connection while it is still being sent.
  socket.on('error', () => undefined)
  socket.setTimeout(2_000, () => socket.destroy())
  socket.write(text, 'latin1')
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

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

  // The enemy has taken the same unique value by now, and would find his own.
  await place.kernel.database.admin.query(
    'delete from plugin_vault.secret where tenant_id = $1 and code = $2',
    [place.enemy.id, canary],
  )

  await t.test('bytes on a socket', async (t) => {
    const { port } = await place.kernel.kernel.listen()
    const auth = `Authorization: Bearer ${await tokenOf(place)}`
    for (const row of socketAttacks) {
      const { attack, lines, expected } = row
      await t.test(attack, async (t) => {
        const before = place.lines.length
        const answer = await exchange(port, lines(place, auth).join('\r\n'))
        t.match(answer, expected)
        t.notMatch(answer, canary)
        await lookAfter(t, place, { attack, before })
      })
    }
  })

  await t.test('without row-level security each statement still names its tenant', async (t) => {
    await dropPolicies(place)
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
  ['entitlement', 'callSchemas', 'tenantAgreement'],
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

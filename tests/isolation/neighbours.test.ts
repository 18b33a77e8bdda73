// What one tenant's plugin code does to its neighbours in a whole kernel: by force, through the log, by locks; and eight
// attacks of all tables at once.
import { randomInt } from 'node:crypto'
import t from 'tap'
import { lookAfter } from '../support/aftermath.ts'
import { breakIn, canary, type Place } from '../support/break-in.ts'
import type { Reply } from '../support/kernel.ts'
import { eventually } from '../support/sandbox.ts'
import { callAttacks } from './call-attacks.fixture.ts'
import { type CodeAttack, forceAttacks, lockAttacks, logAttacks } from './code-attacks.fixture.ts'
import { requestAttacks } from './request-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })
const run = ({ enemy }: Place, { code }: CodeAttack) => enemy.owner('POST', '/v1/burglar/run', { code })

t.test('the code of a plugin', async (t) => {
  const place = await breakIn(t)

  for (const row of forceAttacks) {
    await t.test(`by force: ${row.attack}`, async (t) => {
      const before = place.lines.length
      const reply = await run(place, row)
      t.match(told(reply), row.expected)
      await lookAfter(t, place, { attack: row.attack, reply, before })
    })
  }

  for (const row of logAttacks) {
    await t.test(`in the log: ${row.attack}`, async (t) => {
      const before = place.lines.length
      t.match(told(await run(place, row)), row.expected)
      const written = place.lines
        .slice(before)
        .filter((line) => 'plugin' in line || line['msg'] !== 'request')
      t.match(
        written.find(({ module, msg }) => module === 'burglar' && msg !== 'request'),
        { ...row.line, tenant: place.enemy.id },
      )
      t.ok(
        written.every(({ msg, level }) => msg !== 'forged' && Number(level) < 60),
        'and no other line',
      )
    })
  }

  for (const { other, ...row } of lockAttacks) {
    await t.test(`by a lock: ${row.attack}`, async (t) => {
      let isOver = false
      const holding = run(place, row).finally(() => {
        isOver = true
      })
      const { admin } = place.kernel.database
      let held = 0
      await eventually(() => {
        void admin
          .query(
            `select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
          )
          .then(({ rowCount }) => {
            held = rowCount ?? 0
          })
        return held > 0 || isOver
      })
      t.notOk(isOver, 'it holds what it has')
      const [method, path, body] = other
      const made = await place.bystander.owner(method, path, body)
      t.match(made, { status: 201 })
      t.notOk(isOver, 'another tenant did not wait for it')
      t.match(told(await holding), row.expected)
      await place.bystander.owner('DELETE', `${path}/${String(made.body['id'])}`)
    })
  }
})

/** A small generator, so that a run can be repeated with its seed. */
function shuffled<T>(all: readonly T[], seed: number): T[] {
  const left = [...all]
  const mixed: T[] = []
  let state = seed
  while (left.length > 0) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    mixed.push(...left.splice(state % left.length, 1))
  }
  return mixed
}

t.test('eight attacks at once, in any order', { timeout: 90_000 }, async (t) => {
  const place = await breakIn(t)
  const seed = randomInt(2 ** 31)
  t.comment(`seed ${seed}`)
  const all = [
    ...requestAttacks
      .filter(({ echoes }) => !echoes)
      .map((row) => ({
        ...row,
        async make() {
          const [method, url, body, headers] = row.request(place)
          return (row.asMember ? place.member : place.enemy.owner)(method, url, body, headers)
        },
      })),
    ...callAttacks.map((row) => ({
      ...row,
      make: () => place.enemy.owner('POST', '/v1/burglar/calls', { calls: JSON.stringify(row.calls(place)) }),
    })),
    ...forceAttacks.map((row) => ({ ...row, make: () => run(place, row) })),
  ]
  // Who shares an isolate with a loop loses it with it, and who has used up his minute waits: both are his own.
  const ownFault = /"status":(429|503)/
  const waiting = shuffled(all, seed)
  const end = Date.now() + 60_000
  const served: number[] = []
  const work = async () => {
    for (let one = waiting.shift(); one && Date.now() < end; one = waiting.shift()) {
      const reply = told(await one.make())
      t.ok(
        one.expected.test(reply) || ownFault.test(reply),
        `${one.attack} (seed ${seed}): ${reply.slice(0, 200)}`,
      )
      t.notMatch(reply, canary, one.attack)
    }
  }
  const watch = async () => {
    while (waiting.length > 0 && Date.now() < end) {
      const { status } = await place.victim.owner('POST', '/v1/burglar/well')
      served.push(status)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  await Promise.all([...Array.from({ length: 8 }, work), watch()])
  t.equal(waiting.length, 0, 'all were made')
  t.same(new Set(served), new Set([200]), 'the victim was served all the while, by the same plugin')
  await lookAfter(t, place, { attack: `eight at once (seed ${seed})`, before: place.lines.length })
})

import fc from 'fast-check'
import t from 'tap'
import {
  type Agreed,
  entriesOf,
  filledEntries,
  isMet,
  type OpenStep,
  openEntries,
  waitingKeys,
} from './judge-step.ts'

const step = (need: OpenStep['need'], ...approvers: string[][]): OpenStep => ({ title: 'x', need, approvers })

/** By trying every order in which people could be seated. */
function mostByTrying(agreed: Agreed, entries: number, taken: ReadonlySet<number> = new Set()): number {
  const [first, ...rest] = agreed
  if (!first) return 0
  const without = mostByTrying(rest, entries, taken)
  const withFirst = first
    .filter((entry) => entry < entries && !taken.has(entry))
    .map((entry) => 1 + mostByTrying(rest, entries, new Set([...taken, entry])))
  return Math.max(without, ...withFirst)
}

t.test('as many approvers are filled as there can be, one person each', async () => {
  const agreed = fc.array(fc.uniqueArray(fc.nat(3), { maxLength: 4 }), { maxLength: 5 })
  fc.assert(
    fc.property(agreed, fc.integer({ min: 1, max: 4 }), (people, entries) => {
      return filledEntries(people, entries) === mostByTrying(people, entries)
    }),
  )
})

t.test(
  'one person does not count as two approvers, and gives way where another can be only one',
  async (t) => {
    const both = step('all', ['role:admin'], ['person:x'])
    t.notOk(isMet(both, [[0, 1]]))
    t.ok(isMet(both, [[0, 1], [0]]), 'x gives way to the other admin')
    t.same(openEntries(both, [[0, 1]]), [0, 1])
    t.same(openEntries(both, [[0]]), [1])
    t.same(waitingKeys(both, [[0]]), ['person:x'])
  },
)

t.test('a number needs so many people, whichever', async (t) => {
  const two = step(2, ['role:admin'], ['person:x'])
  t.notOk(isMet(two, [[0, 1]]))
  t.ok(isMet(two, [[0], [0]]))
  t.same(waitingKeys(two, [[0]]), ['role:admin', 'person:x'])
  t.same(entriesOf(two, new Set(['person:x'])), [1])
})

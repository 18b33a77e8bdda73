// The rules of a dated tree against a slow reading of them: day by day, on a calendar of thirty days.
import { addDays, type CivilDate } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import { deepest, inTreeOrder, judgeLink, type Link, type LoadLinks } from './dated-tree.ts'
import { forever, intersection, mostAtOnce, type Period } from './periods.ts'

const days = Array.from({ length: 30 }, (_, day) => addDays('2026-01-01', day))
const dayAt = (index: number): CivilDate => days[index] ?? '2026-01-01'

const period: fc.Arbitrary<Period> = fc
  .tuple(fc.nat(29), fc.option(fc.nat(29)))
  .map(([a, b]) =>
    b === null ? { from: dayAt(a), to: forever } : { from: dayAt(Math.min(a, b)), to: dayAt(Math.max(a, b)) },
  )
const node = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const links: fc.Arbitrary<readonly Link[]> = fc
  .array(fc.record({ child: node, parent: node, period }), { maxLength: 40 })
  .map((all) => all.map(({ period, ...rest }, index) => ({ id: `${index}`, ...rest, ...period })))

const loaded =
  (stored: readonly Link[]): LoadLinks =>
  async (children) =>
    stored.filter(({ child }) => children.includes(child))

const on = (link: Link, day: CivilDate) => link.from <= day && day <= link.to

/** On each day: one parent at most for each node, and nobody above himself. */
function isTreeEveryDay(stored: readonly Link[]): boolean {
  return days.every((day) => {
    const today = stored.filter((link) => on(link, day))
    const parents = new Map(today.map(({ child, parent }) => [child, parent]))
    if (parents.size < today.length) return false
    return [...parents.keys()].every((start) => {
      let above = parents.get(start)
      for (let steps = 0; above !== undefined && steps <= parents.size; steps += 1) {
        if (above === start) return false
        above = parents.get(above)
      }
      return true
    })
  })
}

/** Takes the links one by one, as users would enter them. */
async function stored(wanted: readonly Link[]): Promise<readonly Link[]> {
  const kept: Link[] = []
  for (const link of wanted) if ((await judgeLink(loaded(kept), link)).fits) kept.push(link)
  return kept
}

t.test('whatever is entered, each day has a tree', async () => {
  await fc.assert(
    fc.asyncProperty(links, async (wanted) => isTreeEveryDay(await stored(wanted))),
    { numRuns: 300 },
  )
})

t.test('nothing is refused that would leave a tree on every day', async () => {
  await fc.assert(
    fc.asyncProperty(links, links, async (before, [next]) => {
      if (next === undefined) return true
      const kept = await stored(before)
      const link = { ...next, id: 'next' }
      return (await judgeLink(loaded(kept), link)).fits === isTreeEveryDay([...kept, link])
    }),
    { numRuns: 300 },
  )
})

t.test('a change of a link is judged as if its old self were not there', async () => {
  await fc.assert(
    fc.asyncProperty(links, fc.nat(), period, node, async (wanted, pick, days, parent) => {
      const kept = await stored(wanted)
      const old = kept[pick % Math.max(1, kept.length)]
      if (!old) return true
      const changed = { ...old, ...days, parent }
      const others = kept.filter(({ id }) => id !== old.id)
      return (await judgeLink(loaded(kept), changed)).fits === isTreeEveryDay([...others, changed])
    }),
    { numRuns: 300 },
  )
})

t.test('a tree that would become too deep is refused', async (t) => {
  const chain = Array.from({ length: deepest }, (_, at) => ({
    id: `${at}`,
    child: `n${at}`,
    parent: `n${at + 1}`,
    from: '2026-01-01',
    to: forever,
  }))
  const link = { id: 'x', child: 'below', parent: 'n0', from: '2026-01-01', to: forever }
  t.match(await judgeLink(loaded(chain), link), { fits: false, reason: 'depth' })
})

t.test('the days in both of two periods are those that are in each', async () => {
  fc.assert(
    fc.property(period, period, fc.nat(29), (a, b, index) => {
      const day = dayAt(index)
      const inside = (one: Period | undefined) => one !== undefined && one.from <= day && day <= one.to
      return inside(intersection(a, b)) === (inside(a) && inside(b))
    }),
  )
})

t.test('the most at once is the most on any day', async () => {
  fc.assert(
    fc.property(fc.array(period), period, (all, within) => {
      const counted = days
        .filter((day) => within.from <= day && day <= within.to)
        .map((day) => all.filter(({ from, to }) => from <= day && day <= to).length)
      return mostAtOnce(all, within) === Math.max(0, ...counted)
    }),
  )
})

t.test('the order of a tree has each after its parent, and those below a root alone', async (t) => {
  const nodes = [
    { id: 'c', parent: 'b' },
    { id: 'a', parent: null },
    { id: 'b', parent: 'a' },
    { id: 'd', parent: 'a' },
  ]
  t.same(
    inTreeOrder(nodes).map(({ id, depth }) => `${id}${depth}`),
    ['a0', 'b1', 'c2', 'd1'],
  )
  t.same(
    inTreeOrder(nodes, 'b').map(({ id, depth }) => `${id}${depth}`),
    ['b0', 'c1'],
  )
})

import t from 'tap'
import { boundedLookup } from './bounded-lookup.ts'

/** A world whose lookups are answered by hand. */
function slowWorld() {
  const open = new Map<string, (addresses: string[]) => void>()
  const world = {
    lookup: (name: string) => new Promise<string[]>((resolve) => open.set(name, resolve)),
    roadTo: (address: string, port: number) => ({ address, port }),
  }
  return { open, lookup: boundedLookup(world) }
}

const { signal } = new AbortController()
const settled = () => new Promise((resolve) => setImmediate(resolve))

t.test('two names are looked up at once, the next when one has been answered', async (t) => {
  const { open, lookup } = slowWorld()
  const all = ['a', 'b', 'c', 'd'].map((name) => lookup(name, signal))
  t.same([...open.keys()], ['a', 'b'])
  open.get('b')?.(['1.1.1.1'])
  t.same(await all[1], ['1.1.1.1'])
  await settled()
  t.same([...open.keys()], ['a', 'b', 'c'])
  for (const name of ['a', 'c', 'd']) {
    open.get(name)?.([])
    await settled()
  }
  await Promise.all(all)
})

t.test('who no longer waits gives up his turn, and a lookup that was begun keeps its own', async (t) => {
  const { open, lookup } = slowWorld()
  const leaving = new AbortController()
  const first = lookup('a', leaving.signal)
  const second = lookup('b', signal)
  const third = lookup('c', leaving.signal)
  const fourth = lookup('d', signal)
  leaving.abort(new Error('gone'))
  await t.rejects(first, { message: 'gone' })
  await t.rejects(third, { message: 'gone' })
  await t.rejects(lookup('e', leaving.signal), { message: 'gone' })
  t.same([...open.keys()], ['a', 'b'], 'the thread of the first is not free yet')
  open.get('a')?.([])
  await settled()
  t.same([...open.keys()], ['a', 'b', 'd'])
  open.get('b')?.([])
  open.get('d')?.([])
  await Promise.all([second, fourth])
})

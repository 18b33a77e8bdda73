import type { UseSpec } from '@plinth/sdk'
import t from 'tap'
import type { LoadedPlugin } from './load-plugin.ts'
import { inCycle, unmetNeed, unservable } from './module-needs.ts'

const plugin = (uses: Readonly<Record<string, UseSpec>>, version = '0.1.0') =>
  ({ version, manifest: { uses } }) as unknown as LoadedPlugin
const needs: UseSpec = { range: '^0.1', optional: false }
const mayUse: UseSpec = { range: '^0.1', optional: true }

t.test('modules that need each other in a circle serve nobody', async (t) => {
  const circle = new Map([
    ['a', plugin({ b: needs })],
    ['b', plugin({ c: needs })],
    ['c', plugin({ a: needs })],
    ['d', plugin({ a: needs })],
  ])
  t.same(inCycle(circle), new Set(['a', 'b', 'c']))
  t.same([...unservable(circle).keys()], ['a', 'b', 'c', 'd'])
})

t.test('what a module can do without closes no circle, and is served where the other is not', async (t) => {
  const pair = new Map([
    ['finance', plugin({ oms: mayUse })],
    ['oms', plugin({ finance: needs })],
  ])
  t.same(inCycle(pair), new Set())
  t.same(unservable(pair), new Map())
  t.same(unservable(new Map([['finance', plugin({ oms: mayUse })]])), new Map())
  const alone = new Map([['oms', plugin({ finance: needs })]])
  t.match(unservable(alone).get('oms'), /needs the module 'finance'/)
})

t.test(
  'a module that is there must be there in a version that will do, also when it need not be',
  async (t) => {
    const finance = plugin({ oms: mayUse })
    t.equal(unmetNeed(finance, new Map([['oms', plugin({}, '0.1.9')]])), undefined)
    t.match(unmetNeed(finance, new Map([['oms', plugin({}, '0.2.0')]])), /0\.2\.0 is installed/)
  },
)

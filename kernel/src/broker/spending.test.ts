// What a request has used, against its limits.
import fc from 'fast-check'
import t from 'tap'
import {
  type GovernorLimit,
  type Limits,
  limitNames,
  resolveLimits,
} from '../entitlements/governor-limits.ts'
import { isPlinthError } from '../errors.ts'
import { createCpuBudgets } from './cpu-budget.ts'
import { Spending, type Use } from './spending.ts'

const limitsOf = (set: Partial<Record<GovernorLimit, number>> = {}): Limits =>
  resolveLimits('request', { request: set })

const limitOf = (act: () => void): unknown => {
  try {
    act()
  } catch (error) {
    return isPlinthError(error) ? { code: error.code, ...error.data } : error
  }
  return undefined
}

const summed = limitNames.filter((name) => !['wall', 'cpuPerMinute'].includes(name))
const step = fc.record({
  module: fc.constantFrom('finance', 'oms'),
  limit: fc.constantFrom(...summed),
  amount: fc.integer({ min: 0, max: 40 }),
})

t.test('never more than a cap is granted, whoever spends it and in which order', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 120 }), (steps, cap) => {
      const spending = new Spending({
        limits: limitsOf(Object.fromEntries(summed.map((name) => [name, cap]))),
      })
      const granted = new Map<GovernorLimit, number>()
      let isOver = false
      for (const { module, limit, amount } of steps) {
        const hit = limitOf(() => spending.spend(module, limit, amount))
        const before = granted.get(limit) ?? 0
        const mustHit = isOver || before + amount > cap
        if ((hit !== undefined) !== mustHit) return false
        if (hit === undefined) granted.set(limit, before + amount)
        isOver ||= hit !== undefined
        if ((granted.get(limit) ?? 0) > cap || spending.used(limit) !== (granted.get(limit) ?? 0))
          return false
      }
      return (limitOf(() => spending.confirm()) !== undefined) === isOver
    }),
  )
  t.pass()
})

t.test('what modules used adds up to what the request used', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const spending = new Spending({ limits: limitsOf() })
      for (const { module, limit, amount } of steps) limitOf(() => spending.spend(module, limit, amount))
      return summed.every((name) => {
        const all = [...spending.byModule().values()].reduce((sum, own) => sum + (own.get(name) ?? 0), 0)
        return all === spending.used(name)
      })
    }),
  )
  t.pass()
})

t.test('a limit that was hit is hit for good, and is the first that is told', async (t) => {
  const spending = new Spending({ limits: limitsOf({ queries: 2, events: 1 }) })
  spending.spend('oms', 'queries', 2)
  const first = { code: 'LIMIT_EXCEEDED', module: 'oms', limit: 'queries', used: 3, cap: 2 }
  t.same(
    limitOf(() => spending.spend('oms', 'queries')),
    first,
  )
  t.same(
    limitOf(() => spending.spend('oms', 'events', 5)),
    first,
    'of another limit',
  )
  t.same(
    limitOf(() => spending.remaining('finance')),
    first,
    'of another module',
  )
  t.same(
    limitOf(() => spending.confirm()),
    first,
    'at the end',
  )
})

t.test('CPU that was used leaves less for the next handler, and none is LIMIT_EXCEEDED', async (t) => {
  const spending = new Spending({ limits: limitsOf({ cpu: 100 }) })
  spending.addCpu('oms', 60)
  t.match(spending.remaining('finance'), { cpuMs: 40 })
  spending.addCpu('finance', 60)
  t.match(
    limitOf(() => spending.remaining('oms')),
    { limit: 'cpu', used: 120, cap: 100 },
  )
})

t.test('the time of a handler that was ended by force is taken for CPU, up to its limit', async (t) => {
  const told: Use[] = []
  const minute = createCpuBudgets(() => 0)('a', () => 100)
  const spending = new Spending({
    limits: limitsOf({ cpu: 100 }),
    minute,
    onWarning: (use) => told.push(use),
  })
  spending.addCpu('oms', 30)
  spending.chargeFor('oms', 50)
  t.equal(spending.used('cpu'), 80)
  spending.chargeFor('oms', 5_000)
  spending.chargeFor('oms', -5)
  t.equal(spending.used('cpu'), 100)
  t.same(told, [], 'it may have waited all the time')
  t.match(
    limitOf(() => minute.check('oms')),
    { limit: 'cpuPerMinute', used: 100 },
  )
})

t.test('depth is the deepest and not the sum', async (t) => {
  const spending = new Spending({ limits: limitsOf({ callDepth: 3 }) })
  for (const depth of [1, 2, 1, 3, 3]) spending.reach('oms', 'callDepth', depth)
  t.equal(spending.used('callDepth'), 3)
  t.match(
    limitOf(() => spending.reach('oms', 'callDepth', 4)),
    { limit: 'callDepth', used: 4, cap: 3 },
  )
})

t.test('four fifths of a limit are told once', async (t) => {
  const told: Use[] = []
  const spending = new Spending({ limits: limitsOf({ queries: 10 }), onWarning: (use) => told.push(use) })
  spending.spend('oms', 'queries', 7)
  t.same(told, [])
  spending.spend('oms', 'queries')
  spending.spend('finance', 'queries')
  t.same(told, [{ module: 'oms', limit: 'queries', used: 8, cap: 10 }])
})

t.test('with the governor off nothing is refused', async (t) => {
  const spending = new Spending({ limits: limitsOf({ queries: 1, cpu: 1 }) }, new Set(['governor']))
  spending.addCpu('oms', 1_000)
  spending.spend('oms', 'queries', 1_000)
  t.match(spending.remaining('oms'), { wallMs: Number })
  t.equal(
    limitOf(() => spending.confirm()),
    undefined,
  )
})

t.test('CPU a minute is counted over requests, and the next minute begins anew', async (t) => {
  let now = 1_000
  const budgets = createCpuBudgets(() => now)
  const request = (tenant: string) => new Spending({ limits: limitsOf(), minute: budgets(tenant, () => 500) })
  request('a').addCpu('oms', 300)
  t.match(request('a').remaining('oms'), { cpuMs: 1_000 })
  request('a').addCpu('oms', 300)
  now += 20_000
  t.match(
    limitOf(() => request('a').remaining('oms')),
    { limit: 'cpuPerMinute', used: 600, cap: 500, retryAfter: 40 },
  )
  t.match(request('a').remaining('finance'), {}, 'another module is served')
  t.match(request('b').remaining('oms'), {}, 'another tenant is served')
  now += 40_000
  t.match(request('a').remaining('oms'), { cpuMs: 1_000 }, 'and so is this one, a minute later')
})

t.test('what works for a request is stopped at its end, and asks for nothing more', async (t) => {
  const spending = new Spending({ limits: limitsOf() })
  const stopped: string[] = []
  spending.onEnd(() => stopped.push('left behind'))
  const forget = spending.onEnd(() => stopped.push('done before'))
  forget()
  spending.end('oms')
  t.same(stopped, ['left behind'])
  spending.onEnd(() => stopped.push('began too late'))
  t.same(stopped, ['left behind'], 'not before its beginner knows of it')
  await null
  t.same(stopped, ['left behind', 'began too late'])
  t.match(
    limitOf(() => spending.spend('oms', 'calls')),
    { code: 'PLUGIN_DEADLINE_EXCEEDED', module: 'oms' },
  )
})

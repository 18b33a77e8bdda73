import t from 'tap'
import { createOutside, outsideLimits, type Spent } from './outside.ts'

const fetcher = { fetch: () => Promise.reject(new Error('not asked')), close: () => undefined }
const outside = () => createOutside({ fetcher, secrets: { read: async () => new Map() } })

t.test('one request fetches so often and no more, whatever module of it', async (t) => {
  const { inTurn } = outside()
  const request = {}
  for (let n = 0; n < outsideLimits.fetches; n += 1)
    await inTurn({ request, tenant: 'a', module: n % 2 ? 'bank' : 'shop' }, async () => undefined)
  const one = { request, tenant: 'a', module: 'bank' }
  await t.rejects(
    inTurn(one, async () => undefined),
    { message: 'fetches: 11 of 10' },
  )
  await t.resolves(
    inTurn({ ...one, request: {} }, async () => undefined),
    'another request begins anew',
  )
})

t.test('one request fetches so many bytes and no more', async (t) => {
  const { inTurn } = outside()
  const request = {}
  const fetchHalf = (spent: Spent) => Promise.resolve(spent.addBytes(outsideLimits.bytes / 2))
  const asker = { request, tenant: 'a', module: 'bank' }
  await inTurn(asker, fetchHalf)
  await inTurn(asker, fetchHalf)
  await t.rejects(
    inTurn(asker, async (spent) => spent.addBytes(1)),
    { message: /^fetched bytes/ },
  )
})

t.test('a tenant has so many under way in a module; another tenant is not kept by them', async (t) => {
  const { inTurn } = outside()
  let open: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const start = (tenant: string, module = 'bank') => inTurn({ request: {}, tenant, module }, () => gate)
  const waiting = Array.from({ length: outsideLimits.atOnce }, () => start('a'))
  await t.rejects(start('a'), { code: 'FETCH_BUSY' })
  waiting.push(start('a', 'shop'), start('b'))
  open()
  await Promise.all(waiting)
  await t.resolves(start('a'), 'and may again when they have ended')
})

t.test('the process has so many under way in all', async (t) => {
  const { inTurn } = outside()
  let open: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const start = (tenant: string) => inTurn({ request: {}, tenant, module: 'bank' }, () => gate)
  const waiting = Array.from({ length: outsideLimits.atOnceInAll }, (_, n) => start(`tenant ${n}`))
  await t.rejects(start('one more'), { code: 'FETCH_BUSY' })
  open()
  await Promise.all(waiting)
})

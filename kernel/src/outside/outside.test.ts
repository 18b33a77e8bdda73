import t from 'tap'
import { createOutside, outsideLimits } from './outside.ts'

const fetcher = { fetch: () => Promise.reject(new Error('not asked')), close: () => undefined }
const outside = () => createOutside({ fetcher, secrets: { read: async () => new Map() } })

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

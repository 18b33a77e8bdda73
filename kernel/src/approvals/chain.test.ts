import t from 'tap'
import { type Chain, meets, stepsFor } from './chain.ts'

const inr = (amount: string) => ({ amount: { amount, currency: 'INR' } })
const from = (value: string, below?: string) => ({
  amount: { currency: 'INR', from: value, ...(below === undefined ? {} : { below }) },
})

t.test('amounts are compared as numbers, the lower bound is in and the upper one out', async (t) => {
  t.ok(meets(inr('1000'), from('1000.00')))
  t.notOk(meets(inr('999.99'), from('1000')))
  t.notOk(meets(inr('5000'), from('1000', '5000.00')))
  t.ok(meets(inr('10000'), from('9000')))
})

t.test('what is not known meets every condition', async (t) => {
  t.ok(meets({}, { ...from('1000'), unit: 'u' }))
  t.ok(meets({ amount: { amount: '1', currency: 'USD' } }, from('1000')))
  t.ok(meets({ units: ['top', 'u'] }, { unit: 'u' }))
  t.notOk(meets({ units: ['top', 'v'] }, { unit: 'u' }))
})

t.test('the first chain that fits gives the steps, of which those that fit stay', async (t) => {
  const step = (title: string, when = {}) => ({ title, approvers: [{ role: 'admin' }], need: 1, when })
  const chain = (code: string, when = {}, ...steps: ReturnType<typeof step>[]): Chain => ({
    id: code,
    code,
    title: code,
    when,
    steps,
  })
  const chains = [
    chain('big', from('1000'), step('always'), step('huge', from('100000'))),
    chain('rest', {}, step('small')),
  ]
  const titles = (amount: string) => stepsFor(chains, inr(amount))?.steps.map(({ title }) => title)
  t.same(titles('10'), ['small'])
  t.same(titles('1000'), ['always'])
  t.same(titles('100000'), ['always', 'huge'])
  t.equal(stepsFor([chain('one', {}, step('huge', from('5')))], inr('1')), undefined)
  t.equal(stepsFor([], {}), undefined)
})

import fc from 'fast-check'
import t from 'tap'
import {
  addDecimals,
  compareDecimals,
  isDecimal,
  multiplyDecimals,
  negateDecimal,
  roundDecimal,
  scaleOf,
  subtractDecimals,
} from './decimals.ts'

const decimal = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.stringMatching(/^\d{0,8}$/))
  .map(([minus, whole, decimals]) => `${minus ? '-' : ''}${whole}${decimals ? `.${decimals}` : ''}`)
const equal = (a: string, b: string) => compareDecimals(a, b) === 0

t.test('addition is exact, commutative and associative', async (t) => {
  fc.assert(fc.property(decimal, decimal, (a, b) => addDecimals(a, b) === addDecimals(b, a)))
  fc.assert(
    fc.property(decimal, decimal, decimal, (a, b, c) =>
      equal(addDecimals(addDecimals(a, b), c), addDecimals(a, addDecimals(b, c))),
    ),
  )
  t.equal(addDecimals('0.1', '0.2'), '0.3')
  t.equal(addDecimals('1.50', '2'), '3.50')
})

t.test('subtraction undoes addition, and a number less itself is zero', async (t) => {
  fc.assert(fc.property(decimal, decimal, (a, b) => equal(subtractDecimals(addDecimals(a, b), b), a)))
  fc.assert(fc.property(decimal, (a) => equal(addDecimals(a, negateDecimal(a)), '0')))
  t.equal(negateDecimal('0.00'), '0.00', 'there is no minus zero')
  t.equal(subtractDecimals('-0.05', '-0.05'), '0.00')
})

t.test('comparison agrees with the sign of the difference', async (t) => {
  fc.assert(
    fc.property(decimal, decimal, (a, b) => {
      const difference = subtractDecimals(a, b)
      const sign = difference.startsWith('-') ? -1 : /[1-9]/.test(difference) ? 1 : 0
      return compareDecimals(a, b) === sign
    }),
  )
  t.equal(compareDecimals('1.0', '1'), 0)
})

t.test('multiplication distributes over addition', async (t) => {
  fc.assert(
    fc.property(decimal, decimal, decimal, (a, b, c) =>
      equal(
        multiplyDecimals(a, addDecimals(b, c)),
        addDecimals(multiplyDecimals(a, b), multiplyDecimals(a, c)),
      ),
    ),
  )
  t.equal(multiplyDecimals('1.5', '0.10'), '0.150')
})

t.test('half is rounded away from zero', async (t) => {
  t.equal(roundDecimal('0.125', 2), '0.13')
  t.equal(roundDecimal('-0.125', 2), '-0.13')
  t.equal(roundDecimal('0.1249', 2), '0.12')
  t.equal(roundDecimal('-0.004', 2), '0.00')
  t.equal(roundDecimal('2.5', 0), '3')
  t.equal(roundDecimal('7', 3), '7.000')
  const twice = (a: string) => multiplyDecimals(subtractDecimals(roundDecimal(a, 2), a), '2')
  fc.assert(
    fc.property(decimal, (a) => compareDecimals(twice(a).replace('-', ''), '0.01') <= 0),
    { numRuns: 500 },
  )
})

t.test('what is not a plain decimal number is refused, and long text before any work', async (t) => {
  for (const wrong of ['', '.5', '1.', '+1', '1e9', '0x10', ' 1', '1_000', 'NaN', '١', '9'.repeat(201), 1]) {
    t.equal(isDecimal(wrong), false, String(wrong).slice(0, 10))
  }
  t.throws(() => addDecimals('1', '1,5'), /'1,5' is not a decimal number/)
  t.throws(() => roundDecimal('1', -1), /not a number of decimals/)
  t.equal(scaleOf('1.50'), 2)
})

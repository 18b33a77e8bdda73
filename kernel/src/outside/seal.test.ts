import fc from 'fast-check'
import t from 'tap'
import { createSeal, type Place } from './seal.ts'

const seal = createSeal('a secret that is used in tests only')
const place: Place = ['tenant', 'bank', 'key', 'api.bank.example']

t.test('what is sealed opens at its own place', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      (value) => seal.open(seal.close(value, place), place) === value,
    ),
  )
})

t.test('it does not open for another tenant, module, name or host, nor with another secret', async (t) => {
  const sealed = seal.close('the key', place)
  const others: Place[] = [
    ['another', 'bank', 'key', 'api.bank.example'],
    ['tenant', 'shop', 'key', 'api.bank.example'],
    ['tenant', 'bank', 'other', 'api.bank.example'],
    ['tenant', 'bank', 'key', 'www.attacker.example'],
    ['tenant', 'bank","key', 'api.bank.example', ''],
  ]
  for (const other of others) t.throws(() => seal.open(sealed, other), JSON.stringify(other))
  t.throws(() => createSeal('another secret of the same length...').open(sealed, place))
})

t.test('a changed bit anywhere is noticed, and the value stands nowhere in it', async (t) => {
  const sealed = seal.close('the key', place)
  t.notOk(sealed.includes('the key'))
  t.notSame(sealed, seal.close('the key', place), 'twice the same value is not twice the same text')
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    t.throws(() => seal.open(changed, place))
  }
  t.throws(() => seal.open(sealed.subarray(0, 20), place))
})

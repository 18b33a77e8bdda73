import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { hash, hmac } from './hashing.ts'

const names = fc.constantFrom('sha256' as const, 'sha512' as const, 'sha1' as const, 'md5' as const)
const encodings = fc.constantFrom('hex' as const, 'base64' as const)
const data = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.uint8Array({ maxLength: 300 }))

t.test('digests are those of Node', async () => {
  fc.assert(
    fc.property(names, encodings, data, data, (name, encoding, key, text) => {
      t.equal(hash(name, text, encoding), createHash(name).update(text).digest(encoding))
      t.equal(hmac(name, key, text, encoding), createHmac(name, key).update(text).digest(encoding))
    }),
    { numRuns: 60 },
  )
  t.equal(hash('sha256', 'abc').slice(0, 8), 'ba7816bf')
})

t.test('what is no hash or no encoding is refused by name', async (t) => {
  t.throws(() => hash('sha3' as 'sha1', 'x'), { message: /no hash 'sha3'/ })
  t.throws(() => hash('sha1', 'x', 'utf8' as 'hex'), { message: /no encoding 'utf8'/ })
})

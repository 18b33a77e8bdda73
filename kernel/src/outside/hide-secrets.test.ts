import fc from 'fast-check'
import t from 'tap'
import { hideSecrets } from './hide-secrets.ts'

const answer = (text: string, headers: Record<string, string> = {}) => ({
  status: 200,
  headers,
  body: Buffer.from(text),
})
const hidden = async (text: string, ...secrets: string[]) =>
  (await hideSecrets(answer(text), secrets)).body.toString()
const secrets = fc
  .string({ unit: 'grapheme', minLength: 8, maxLength: 200 })
  .filter((text) => text.isWellFormed())

t.test('a secret that comes back is replaced', async (t) => {
  const secret = 'k3y/of+the bank"'
  t.equal(await hidden(`{"key":${JSON.stringify(secret)}}`, secret), '{"key":"***"}')
  t.equal(await hidden(`Bearer ${secret}!`, secret), 'Bearer ***!')
  t.equal(await hidden(`?key=${encodeURIComponent(secret)}&a=b`, secret), '?key=***&a=b')
  t.equal(await hidden(new URLSearchParams({ key: secret }).toString(), secret), 'key=***')
  t.equal(await hidden(Buffer.from(secret).toString('hex'), secret), '***')
  t.same((await hideSecrets(answer('', { 'x-echo': `a ${secret}` }), [secret])).headers, {
    'x-echo': 'a ***',
  })
  t.equal(await hidden('one-secret two-secret', 'one-secret', 'two-secret'), '*** ***')
  t.equal(await hidden('exactly8exactly8', 'exactly8'), '******')
})

t.test('a long secret is replaced from its 64th character on, though its end is cut off', async (t) => {
  const secret = Array.from({ length: 1_000 }, (_, n) => `${n},`).join('')
  t.equal(await hidden(`a ${secret} b`, secret), 'a *** b')
  t.equal(await hidden(`a ${secret.slice(0, 500)} b`, secret), 'a *** b')
})

t.test('what holds no secret stays as it is, byte by byte', async (t) => {
  const bytes = Buffer.from([0, 255, 254, 128, 10, 13, 0, 255, 254, 128, 10, 13])
  t.same((await hideSecrets({ status: 200, headers: {}, body: bytes }, ['a secret key'])).body, bytes)
})

t.test('no secret survives, as it is or in base64, whatever stands around it', async () => {
  await fc.assert(
    fc.asyncProperty(secrets, fc.string(), fc.string(), async (secret, before, after) => {
      const whole = `${before}${secret}${after}`
      const shown = [
        await hidden(whole, secret),
        await hidden(Buffer.from(whole).toString('base64'), secret),
        await hidden(Buffer.from(whole).toString('base64url'), secret),
      ]
      const read = shown.flatMap((text) => [
        text,
        ...[0, 1, 2, 3].map((skip) => Buffer.from(text.slice(skip), 'base64').toString()),
      ])
      return read.every((text) => !text.includes(secret))
    }),
  )
})

t.test('it finds what a plain search finds', async () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 8, maxLength: 10 })
  const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(letters, texts, async (secret, text) => {
      return (await hidden(text, secret)) === text.replaceAll(secret, '***')
    }),
  )
})

t.test('bytes made to be slow to search keep nobody else waiting', async (t) => {
  const secret = 'a'.repeat(8_000)
  let turns = 0
  const ticking = setInterval(() => {
    turns += 1
  }, 1)
  const body = Buffer.alloc(5 * 1024 * 1024, `${'a'.repeat(63)}b`)
  const shown = await hideSecrets({ status: 200, headers: {}, body }, [secret])
  clearInterval(ticking)
  t.equal(shown.body.length, body.length)
  t.ok(turns > 5, 'others ran in between')
})

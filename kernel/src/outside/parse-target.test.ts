import { isIP } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { parseTarget } from './parse-target.ts'

const none: ReadonlySet<string> = new Set()

t.test('a URL is taken as it stands', async (t) => {
  const at = (text: string) => parseTarget(text, none)
  t.equal(at('https://api.bank.example').host, 'api.bank.example')
  t.equal(at('https://api.bank.example:443/a').host, 'api.bank.example')
  t.equal(at('https://api.bank.example:8443?a=b').host, 'api.bank.example:8443')
  t.equal(at('https://api.bank.example/a?b=c@d:80/e#f').url.href, 'https://api.bank.example/a?b=c@d:80/e')
})

t.test('http is for the hosts that may be reached without TLS', async (t) => {
  const plain = new Set(['mock.test:8080', 'localhost'])
  t.equal(parseTarget('http://mock.test:8080/a', plain).host, 'mock.test:8080')
  t.equal(parseTarget('http://localhost/a', plain).host, 'localhost')
  for (const url of ['http://mock.test/a', 'http://localhost:81/a', 'http://api.bank.example/'])
    t.throws(() => parseTarget(url, plain), { code: 'FETCH_REFUSED' }, url)
})

t.test('what is accepted is a name, and has no second reading', async () => {
  const pieces = fc.constantFrom(
    ...[
      'https://',
      'http:',
      '//',
      '/',
      '\\',
      '@',
      ':',
      '.',
      '%2e',
      '%00',
      '#',
      '?',
      '[',
      ']',
      '::1',
      '127.1',
      '0x7f',
      '1',
    ],
    ...[
      'api',
      'bank',
      'example',
      '443',
      '8443',
      'xn--',
      'é',
      '。',
      '\t',
      '\n',
      ' ',
      'A',
      '-',
      'a.b',
      '..',
      '\u00ad',
    ],
  )
  const texts = fc.oneof(
    fc.webUrl(),
    fc.array(pieces, { maxLength: 12 }).map((list) => `https://${list.join('')}`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      let target: ReturnType<typeof parseTarget>
      try {
        target = parseTarget(text, none)
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'FETCH_REFUSED'
      }
      const { url, host } = target
      return (
        url.protocol === 'https:' &&
        isIP(url.hostname) === 0 &&
        host === url.host &&
        text.startsWith(`https://${url.hostname}`) &&
        /^[a-z0-9.-]+\.[a-z][a-z0-9-]*$/.test(url.hostname)
      )
    }),
    { numRuns: 2_000 },
  )
})

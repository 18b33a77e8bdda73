import tap from 'tap'
import { definePlugin, manifestOf } from './index.ts'

const bank = 'api.bank.example'
const key = { title: 'Key', host: bank }
const asking = (needs: object) => () => manifestOf(definePlugin({ name: 'bank', title: 'Bank', needs }))

tap.test('needs stand in the manifest as they were written', async (tap) => {
  const needs = {
    http: [bank, 'files.bank.example:8443', 'xn--bcher-kva.example'],
    secrets: { bankKey: key },
  }
  tap.same(asking(needs)().needs, needs)
  tap.same(asking({})().needs, {})
})

tap.test('a host that is none is refused by name', async (tap) => {
  const wrong = [
    ...['127.0.0.1', '[::1]', '2130706433', '0x7f.1', 'bank', 'localhost', '*.bank.example', '*', ''],
    ...['Api.bank.example', 'api.bank.example.', '.bank.example', 'api..example', '-a.example', 'a-.example'],
    ...[
      'https://api.bank.example',
      'api.bank.example/path',
      'user@bank.example',
      'api.bänk.example',
      'a b.example',
    ],
    ...[
      'api.bank.example:443',
      'api.bank.example:0',
      'api.bank.example:080',
      'api.bank.example:65536',
      'api.bank.example:',
    ],
    ...['api.bank.example\n', `${'a'.repeat(64)}.example`, `${'a.'.repeat(130)}example`],
  ]
  for (const host of wrong) tap.throws(asking({ http: [host] }), /which is none: write a name/, host)
  tap.throws(asking({ http: [bank, bank] }), /needs the host 'api.bank.example' twice/)
})

tap.test('a secret is for one of the hosts, and has a name and a title', async (tap) => {
  const http = [bank]
  tap.throws(asking({ secrets: { key } }), /secret 'key' is for 'api.bank.example', which is not among/)
  tap.throws(
    asking({ http, secrets: { key: { ...key, host: 'api.bank.exampel' } } }),
    /Did you mean 'api.bank.example'/,
  )
  tap.throws(asking({ http, secrets: { 'a key': key } }), /secret 'a key' has a bad name/)
  tap.throws(asking({ http, secrets: { key: { ...key, title: ' ' } } }), /secret 'key' has no title/)
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`key${n}`, key]))
  tap.throws(asking({ http, secrets: many }), /more than 20 secrets/)
})

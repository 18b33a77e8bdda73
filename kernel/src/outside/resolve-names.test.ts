import t from 'tap'
import { startDnsServer } from '../../../tests/support/dns-server.ts'
import { boundedLookup } from './bounded-lookup.ts'
import { resolveNames } from './resolve-names.ts'
import { realWorld } from './world.ts'

t.test('names are asked of DNS, and those of the operator of the system', async (t) => {
  const dns = await startDnsServer(t)
  dns.names.set('a.example', [['93.184.216.34', '2606:2800:220:1::1']])
  dns.names.set('four.example', [['93.184.216.34']])
  const { lookup } = resolveNames(realWorld, {
    servers: [`127.0.0.1:${dns.port}`],
    system: new Set(['localhost']),
  })
  t.strictSame(await lookup('a.example'), ['93.184.216.34', '2606:2800:220:1::1'])
  t.strictSame(await lookup('four.example'), ['93.184.216.34'])
  await t.rejects(lookup('none.example'))
  t.ok((await lookup('localhost')).some((address) => address === '127.0.0.1' || address === '::1'))
  t.notOk(dns.asked.includes('localhost'))
})

t.test('a name that nobody answers for holds up no other', async (t) => {
  const never = {
    ...realWorld,
    lookup: (name: string) =>
      name === 'dead' ? new Promise<never>(() => undefined) : Promise.resolve(['1.1.1.1']),
  }
  const signal = AbortSignal.timeout(5_000)
  const lookup = boundedLookup(never, 4)
  for (let at = 0; at < 3; at += 1) lookup('dead', signal).catch(() => undefined)
  t.strictSame(await lookup('alive', signal), ['1.1.1.1'])
})

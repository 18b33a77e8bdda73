// Two kernel processes on one database, one of them killed in the middle: every event reaches the receiver, and whoever
// listens at the other hears each once and in order.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testDatabase, testInstallation } from '../support/database.ts'
import { listenAt } from '../support/event-source.ts'
import { storeInstallation } from '../support/hooks-lab.ts'
import { sendTo, signUpAt, startKernelProcess } from '../support/kernel-process.ts'
import { until } from '../support/queue-lab.ts'

t.test('a process that is killed loses no webhook and no event of a stream', async (t) => {
  const received: { readonly id: string; readonly note: string }[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    request.on('end', () => {
      const { data } = JSON.parse(text) as { data: { note: string } }
      received.push({ id: String(request.headers['webhook-id']), note: data.note })
      // Long enough for a kill to come between.
      setTimeout(() => response.writeHead(204).end(), 30)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const host = `localhost:${(server.address() as AddressInfo).port}`

  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_PLUGINS_ROOT: await storeInstallation(t),
    PLINTH_FETCH_PLAIN_HOSTS: host,
    PLINTH_WEBHOOK_DELAYS: '1,1,1',
  }
  const first = await startKernelProcess(t, environment)
  const second = await startKernelProcess(t, environment)
  const person = await signUpAt(first.url, 'ada@example.com', 'correct horse battery')
  const headers = { ...person, 'x-tenant-id': 'ada' }
  const [at, there] = [sendTo(first.url, headers), sendTo(second.url, headers)]
  const opened = await at('POST', '/v1/tenants', { name: 'Ada', slug: 'ada', currency: 'USD' })
  t.equal(opened.status, 201, JSON.stringify(opened.body))
  t.equal((await at('POST', '/v1/tenant/modules', { module: 'store' })).status, 201)
  const made = await there('POST', '/v1/tenant/webhooks', {
    url: `http://${host}/in`,
    events: ['store.bell.rung'],
  })
  t.equal(made.status, 201, JSON.stringify(made.body))

  const client = await listenAt(second.url, { headers })
  await until(
    async () => client.lastId(),
    (id) => id !== '',
  )
  const sent: string[] = []
  const ring = async (send: typeof at) => {
    const note = `note ${sent.length}`
    if ((await send('POST', '/v1/store/ring', { note, count: 5 })).status === 200) sent.push(note)
  }
  for (let round = 0; round < 20; round += 1) await ring(round % 2 === 0 ? at : there)
  await sleep(100)
  await first.end('SIGKILL')
  for (let round = 0; round < 10; round += 1) await ring(there)

  // A lease of 30 s has to end before another process takes what the first one had.
  const wanted = sent.length * 5
  const ids = () => new Set(received.map(({ id }) => id))
  await until(
    async () => ids().size,
    (count) => count === wanted,
    90_000,
  )
  t.equal(ids().size, wanted, 'each event has arrived, and is known again by its webhook-id')
  t.strictSame(new Set(received.map(({ note }) => note)), new Set(sent))
  await until(
    async () => client.messages.length,
    (count) => count >= wanted,
  )
  const heard = client.messages.map(({ data }) => (data['data'] as { note: string }).note)
  t.strictSame(
    heard,
    sent.flatMap((note) => Array<string>(5).fill(note)),
  )
  client.cut()
  const states = async () => {
    const { rows } = await database.admin.query<{ state: string; count: number }>(
      "select state, count(*)::int from kernel.task where kind = 'webhook' group by state",
    )
    return rows
  }
  const ended = await until(states, (some) => some.every(({ state }) => state === 'done'), 60_000)
  t.strictSame(ended, [{ state: 'done', count: wanted }])
})

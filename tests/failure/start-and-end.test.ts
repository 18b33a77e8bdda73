// Starts that fail and ends that are hurried: nothing stays open, and nobody has to wait who does not want to.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createKernel } from '../../kernel/src/kernel.ts'
import { testDatabase, testInstallation } from '../support/database.ts'
import { testConfig, testLog } from '../support/kernel.ts'
import { startKernelProcess } from '../support/kernel-process.ts'

const environmentOf = (adminUrl: string) => ({
  DATABASE_URL: adminUrl,
  PLINTH_SECRET: testInstallation.secret,
  PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
})

t.test('a start that fails half-way closes what it had opened', async (t) => {
  // Connections that are left open fail the test when its database is dropped.
  const database = await testDatabase(t)
  const folder = await mkdtemp(join(tmpdir(), 'plinth-nothing-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const nowhere = testConfig(database.adminUrl, { pluginsRoot: join(folder, 'missing') })
  await t.rejects(createKernel(nowhere, testLog))
})

t.test('a port that is taken ends the process with the reason', async (t) => {
  const database = await testDatabase(t)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const address = taken.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const refused = startKernelProcess(t, { ...environmentOf(database.adminUrl), PORT: port })
  await t.rejects(refused, { message: /Plinth did not start\. .*EADDRINUSE/ })
})

t.test('the demo tenant of a kernel with a database and a secret of its own', async (t) => {
  const database = await testDatabase(t)
  const folder = await mkdtemp(join(tmpdir(), 'plinth-demo-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const dataDir = join(folder, 'not', 'made yet')
  const kernel = await createKernel(testConfig(database.adminUrl, { demo: true, dataDir }), testLog)
  t.teardown(() => kernel.close())
  t.match(kernel.demo, { tenant: 'demo', password: /.{16}/ })
  t.ok(existsSync(join(dataDir, 'demo-owner.json')))
})

t.test('a second signal ends at once', async (t) => {
  const database = await testDatabase(t)
  const process = await startKernelProcess(t, environmentOf(database.adminUrl))
  // A request that never comes to its end: an orderly close would wait for it.
  const { port, hostname } = new URL(process.url)
  const socket = connect(Number(port), hostname)
  t.teardown(async () => void socket.destroy())
  socket.on('error', () => undefined)
  socket.write(
    'POST /v1/auth/sign-in/email HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
  )
  await once(socket, 'data')
  const ended = once(process.child, 'exit')
  process.child.kill('SIGINT')
  process.child.kill('SIGINT')
  await sleep(1_000)
  t.equal(process.child.exitCode, null, 'the echo of one Ctrl-C is no second one')
  process.child.kill('SIGINT')
  t.same((await ended)[0], 130, 'ended, not closed')
})

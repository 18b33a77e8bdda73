// The kernel as a user runs it: started, stopped, started again, and several processes on one database.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ApiError, createClient } from '../../examples/load-journal/client.ts'
import { testDatabase, testInstallation } from '../support/database.ts'
import { signUpAt, startKernelProcess } from '../support/kernel-process.ts'

const person = { email: 'ada@example.com', password: 'correct horse battery' }
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  )

t.test('the embedded database keeps the data from one start to the next', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'plinth-data-'))
  // Started by root, PostgreSQL runs as somebody else, who must get in; or its data would be kept elsewhere for good.
  await chmod(dataDir, 0o711)
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const environment = { DATA_DIR: dataDir }
  const first = await startKernelProcess(t, environment)
  const headers = await signUpAt(first.url, person.email, person.password)
  await createClient(first.url, headers)('POST', '/v1/tenants', { name: 'Kept', slug: 'kept' })
  t.match(first.output(), /Demo tenant 'demo', owner owner@demo.example, password \S+/)
  t.equal(await first.end('SIGINT'), 0)

  const second = await startKernelProcess(t, environment)
  const { items } = await createClient(second.url, headers)<{ items: { slug: string }[] }>(
    'GET',
    '/v1/tenants',
  )
  t.same(
    items.map((item) => item.slug),
    ['kept'],
    'the session and the tenant are still there',
  )
  t.equal(
    /password (\S+)/.exec(second.output())?.[1],
    /password (\S+)/.exec(first.output())?.[1],
    'the demo owner signs in as before',
  )

  // The process is killed: its database goes on alone, and the next start takes it over.
  await second.end('SIGKILL')
  const third = await startKernelProcess(t, environment)
  t.equal(await codeOf(createClient(third.url, headers)('GET', '/v1/tenants')), 'done')
  t.equal(await third.end('SIGTERM'), 0)
})

t.test('wrong settings are refused together, by name, before anything is opened', async (t) => {
  const environment = { PORT: '99999', LOG_LEVEL: 'loud', PLINTH_SECRET: 'short', PLINTH_POOLSIZE: '3' }
  const refused = await startKernelProcess(t, environment).then(
    () => 'started',
    (error: Error) => error.message,
  )
  t.match(refused, /^Plinth did not start/)
  for (const name of Object.keys(environment)) t.match(refused, new RegExp(`^ {2}${name} `, 'm'))
})

t.test('two processes on one database', async (t) => {
  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
  }
  const [one, other] = await Promise.all([
    startKernelProcess(t, environment),
    startKernelProcess(t, environment),
  ])
  const headers: Record<string, string> = await signUpAt(one.url, person.email, person.password)
  const atOne = createClient(one.url, headers)
  const atOther = createClient(other.url, headers)
  await atOne('POST', '/v1/tenants', { name: 'Shared', slug: 'shared' })
  headers['x-tenant-id'] = 'shared'

  await t.test('a module switched in one acts in the next request at the other', async (t) => {
    t.equal(await codeOf(atOther('GET', '/v1/finance/accounts')), 'MODULE_NOT_ENABLED')
    for (let round = 0; round < 20; round += 1) {
      await atOne('POST', '/v1/tenant/modules', { module: 'finance' })
      t.equal(await codeOf(atOther('GET', '/v1/finance/accounts')), 'done')
      await atOther('DELETE', '/v1/tenant/modules/finance')
      t.equal(await codeOf(atOne('GET', '/v1/finance/accounts')), 'MODULE_NOT_ENABLED')
    }
  })

  await t.test('a session that ends at one is over at the other', async (t) => {
    const own = await signUpAt(one.url, 'eve@example.com', person.password)
    t.equal(await codeOf(createClient(other.url, own)('GET', '/v1/tenants')), 'done')
    await createClient(one.url, own)('POST', '/v1/auth/sign-out')
    t.equal(await codeOf(createClient(other.url, own)('GET', '/v1/tenants')), 'UNAUTHENTICATED')
  })

  await t.test('the other goes on when one is killed', async (t) => {
    await one.end('SIGKILL')
    await atOther('POST', '/v1/tenant/modules', { module: 'finance' })
    t.equal(await codeOf(atOther('GET', '/v1/finance/accounts')), 'done')
  })
  t.equal(await other.end('SIGTERM'), 0)
})

// The database goes away under a running kernel: every answer says so, none blames the caller or a mistake of ours, and
// when it is back everything works again.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { isConnectionLoss } from '../../kernel/src/data/database-failure.ts'
import { createAccounts } from '../../kernel/src/identity/accounts.ts'
import { controlTransactions } from '../../kernel/src/tenants/control-transaction.ts'
import { createTenantDirectory } from '../../kernel/src/tenants/tenant-directory.ts'
import { type Method, testKernel } from '../support/kernel.ts'
import { operatorToken } from '../support/operator.ts'
import { until } from '../support/queue-lab.ts'
import { shutDatabase } from '../support/shut-database.ts'

const unavailable = { status: 503, body: { code: 'DATABASE_UNAVAILABLE' } }

t.test('requests while the database is gone', async (t) => {
  const kernel = await testKernel(t, { operatorToken })
  const { slug, owner } = await kernel.openTenant('finance')
  const account = { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' }
  t.match(await kernel.send('POST', '/v1/auth/sign-up/email', account), { status: 200 })
  const requests: [Method, string, object?][] = [
    ['GET', '/v1/tenants'],
    ['GET', '/v1/tenant'],
    ['GET', '/v1/tenant/members'],
    ['GET', '/v1/tenant/modules'],
    ['GET', '/v1/tenant/usage'],
    ['GET', '/v1/tenant/secrets/finance'],
    ['GET', '/v1/finance/accounts'],
    ['POST', '/v1/tenants', { name: 'New', slug: 'new-one' }],
    ['POST', '/v1/tenant/members', { email: account.email, role: 'member' }],
    ['POST', '/v1/auth/sign-in/email', { email: account.email, password: account.password }],
    ['POST', '/v1/auth/sign-up/email', { ...account, email: 'eve@example.com' }],
  ]
  const open = await shutDatabase(kernel.database.adminUrl)
  // What is in memory is good until the connection that keeps it so is seen to be gone.
  const until = performance.now() + 10_000
  while ((await owner('GET', '/v1/tenant')).status === 200 && performance.now() < until) await sleep(10)
  for (const [method, url, body] of requests) {
    const reply = await owner(method, url, body)
    t.match(reply, unavailable, `${method} ${url}`)
    t.equal(reply.headers['retry-after'], '1')
  }
  const operator = { authorization: `Bearer ${operatorToken}` }
  const operatorPaths = [
    '/v1/operator/plugins',
    '/v1/operator/plugins/finance',
    '/v1/operator/operations',
    '/v1/operator/limits?module=finance',
  ]
  for (const path of operatorPaths) {
    const reply = await kernel.send('GET', path, undefined, operator)
    t.match(reply, unavailable, path)
    t.equal(reply.headers['retry-after'], '1')
  }
  t.match(await kernel.send('POST', '/v1/operator/plugins/finance/disable', {}, operator), unavailable)
  await open()
  for (const [method, url, body] of requests) {
    const { status } = await owner(method, url, body)
    t.ok(status < 300, `${method} ${url} works again: ${status}`)
  }
  t.match(await owner('GET', '/v1/tenant'), { body: { slug } })
})

t.test('a server that is not there at all is the same', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const pool = new pg.Pool({ host: '127.0.0.1', port, database: 'none', user: 'nobody', password: 'x' })
  const feed = {
    isLive: () => false,
    onChange: () => undefined,
    announcement: () => ({ command: '', settled: async () => false }),
    announce: async () => '',
    settled: async () => false,
    close: async () => undefined,
  }
  const code = { code: 'DATABASE_UNAVAILABLE' }
  const directory = createTenantDirectory(pool, feed)
  await t.rejects(directory.find('demo'), code)
  await t.rejects(directory.roleOf('a', 'b'), code)
  await t.rejects(directory.tenantsOf('a'), code)
  await t.rejects(
    controlTransactions(pool, feed)(async () => 1),
    code,
  )
  const accounts = createAccounts(pool, {
    secret: 'a secret that is used in tests only',
    requireVerified: false,
  })
  await t.rejects(accounts.findSession('a-token-that-nobody-has-been-given'), code)
  await t.rejects(accounts.signIn({ email: 'a@example.com', password: 'long enough' }), code)
  await pool.end()
})

t.test('a connection that breaks in the middle of a control transaction', async (t) => {
  const kernel = await testKernel(t)
  const { database } = kernel
  const pool = new pg.Pool({ ...database.access.kernel, max: 1 })
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('error', () => undefined)
  const feed = {
    isLive: () => false,
    onChange: () => undefined,
    announcement: () => ({ command: '', settled: async () => false }),
    announce: async () => '',
    settled: async () => false,
    close: async () => undefined,
  }
  const runControl = controlTransactions(pool, feed)
  await t.rejects(
    runControl(async (tx) => {
      const [own] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid', [])
      await database.admin.query('select pg_terminate_backend($1)', [own?.pid])
      await tx.query('select 1', [])
    }),
    { code: 'DATABASE_UNAVAILABLE' },
    'before the commit nothing was saved, and the same request can be sent again',
  )
  await database.admin.query(`
    create function public.break() returns trigger language plpgsql security definer as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
    create constraint trigger breaks after update on kernel.tenant deferrable initially deferred
      for each row execute function public.break()`)
  const { id } = await kernel.openTenant()
  await t.rejects(
    runControl((tx) => tx.query('update kernel.tenant set name = name where id = $1', [id])),
    { code: 'COMMIT_UNCERTAIN', status: 503 },
    'at the commit nobody knows, and the answer does not say otherwise',
  )
  t.same(await runControl((tx) => tx.query('select 1 as one', [])), [{ one: 1 }], 'the next gets another')
  await pool.end()
})

t.test(
  'a kernel that could not open its doors does not go on to say that there are no such modules',
  async (t) => {
    const { kernel, database } = await testKernel(t)
    const open = await shutDatabase(database.adminUrl)
    const doors = async () => ({ emptied: Promise.resolve() })
    await t.rejects(kernel.registry.openWith(doors), { code: 'DATABASE_UNAVAILABLE' })
    await open()
    // A connection of the pool's that was cut may be heard of only now.
    const opened = async () =>
      kernel.registry.openWith(doors).then(
        () => true,
        () => false,
      )
    t.ok(await until(opened, (isOpen) => isOpen))
  },
)

t.test('what says that the database is away, and what says something of a plugin', (t) => {
  const coded = (code: string) => Object.assign(new Error('x'), { code })
  for (const code of ['ECONNREFUSED', 'ECONNRESET', '57P01', '57P03', '08006', 'DATABASE_UNAVAILABLE'])
    t.ok(isConnectionLoss(new Error('outer', { cause: coded(code) })), code)
  for (const message of ['Connection terminated unexpectedly', 'timeout expired'])
    t.ok(isConnectionLoss(new Error(message)), message)
  for (const error of [coded('42P01'), new Error('ships a manifest that differs'), 'a text', undefined])
    t.notOk(isConnectionLoss(error))
  t.end()
})

// What docs/asvs.md asks and no other test shows: of answers, of passwords and sessions, and of the log.
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import t from 'tap'
import { sender, testKernel } from '../support/kernel.ts'
import { recordingLog } from '../support/recording-log.ts'

const signUp = '/v1/auth/sign-up/email'
const signIn = '/v1/auth/sign-in/email'
const wanderer = () => `${randomUUID()}@example.com`

async function onSocket(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (part) => {
    answer += part
  })
  socket.on('error', () => undefined)
  socket.setTimeout(5_000, () => socket.destroy())
  socket.write(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

t.test('small things', async (t) => {
  const { log, lines } = recordingLog()
  const place = await testKernel(t, {}, { log })
  const { kernel, database, send } = place
  const tenant = await place.openTenant('finance')
  const account = { code: '1000', name: 'Cash', type: 'asset' }
  const { body: cash } = await tenant.owner('POST', '/v1/finance/accounts', account)

  await t.test('every answer says what it is and is kept by nobody', async (t) => {
    const asked = [
      ['GET', '/v1/tenant'],
      ['GET', '/v1/tenant/members'],
      ['GET', '/v1/finance/accounts'],
      ['GET', `/v1/finance/accounts/${cash['id']}`],
      ['GET', '/v1/finance/reports/trial-balance'],
      ['GET', `/v1/finance/accounts/${randomUUID()}`],
      ['POST', '/v1/finance/accounts'],
      ['GET', '/v1/nowhere'],
      ['GET', '/nowhere/%zz'],
      ['PUT', '/v1/tenant'],
    ] as const
    for (const [method, url] of asked) {
      const { headers } = await tenant.owner(method, url)
      t.match(headers['content-type'], /^application\/(problem\+)?json; charset=utf-8$/, `${method} ${url}`)
      t.equal(headers['cache-control'], 'no-store', `${method} ${url}`)
    }
  })

  await t.test('TRACE is not answered', async (t) => {
    const { port } = await kernel.listen()
    const answer = await onSocket(
      port,
      'TRACE /v1/tenant HTTP/1.1\r\nHost: a\r\nX-Echo: echoed-42\r\nConnection: close\r\n\r\n',
    )
    t.match(answer, /^HTTP\/1\.1 4\d\d /)
    t.notMatch(answer, /echoed-42/)
  })

  await t.test("a token in the query is nobody's", async (t) => {
    const { body } = await send('POST', signUp, { name: 'A', email: wanderer(), password: 'correct horse' })
    for (const name of ['token', 'access_token', 'authorization', 'api_key'])
      t.equal((await send('GET', `/v1/tenants?${name}=${body['token']}`)).status, 401, name)
  })

  await t.test('a password is taken as it was typed, of any characters and of 256 at most', async (t) => {
    const long = Array.from({ length: 256 }, (_, i) => String.fromCharCode(97 + ((i * i) % 26))).join('')
    const odd = ` Zwölf €${' '.repeat(3)}𝄞 "'\\ ${'x'.repeat(80)}A `
    for (const password of ['ten letter', odd, long]) {
      const email = wanderer()
      t.equal((await send('POST', signUp, { name: 'A', email, password })).status, 200)
      t.equal((await send('POST', signIn, { email, password })).status, 200)
      for (const wrong of [password.slice(0, -1), password.toUpperCase(), password.trim()])
        if (wrong !== password)
          t.match(
            (await send('POST', signIn, { email, password: wrong })).status,
            /^4/,
            JSON.stringify(wrong),
          )
    }
    for (const password of ['x'.repeat(9), 'x'.repeat(257)])
      t.match(await send('POST', signUp, { name: 'A', email: wanderer(), password }), {
        status: 422,
        body: { errors: [{ field: 'password' }] },
      })
  })

  await t.test('passwords stand in the database as salted scrypt, and nowhere else', async (t) => {
    const password = 'the same for two'
    for (const email of [wanderer(), wanderer()]) await send('POST', signUp, { name: 'A', email, password })
    const { rows } = await database.admin.query<{ password: string }>('select password from identity.account')
    t.equal(new Set(rows.map((row) => row.password)).size, rows.length, 'no two are alike')
    for (const row of rows) t.match(row.password, /^[0-9a-f]{32}:[0-9a-f]{128}$/)
  })

  await t.test('each sign-in gives a token of its own, of 32 random characters', async (t) => {
    const [email, password] = [wanderer(), 'correct horse']
    const first = await send('POST', signUp, { name: 'A', email, password })
    const tokens = new Set([first.body['token']])
    for (let n = 0; n < 2; n += 1) {
      const { body } = await sender(kernel, { authorization: `Bearer ${first.body['token']}` })(
        'POST',
        signIn,
        {
          email,
          password,
        },
      )
      tokens.add(body['token'])
    }
    t.equal(tokens.size, 3)
    for (const token of tokens) t.match(String(token).split('.')[0], /^[A-Za-z0-9]{32}$/)
  })

  await t.test('a session that has expired is worth nothing', async (t) => {
    const { body } = await send('POST', signUp, { name: 'A', email: wanderer(), password: 'correct horse' })
    const own = sender(kernel, { authorization: `Bearer ${body['token']}` })
    t.equal((await own('GET', '/v1/tenants')).status, 200)
    // The database tells every process of the change, as when a session ends.
    await database.admin.query(
      `update identity.session set "expiresAt" = now() - interval '1 second' where token = $1`,
      [String(body['token']).split('.')[0]],
    )
    for (let turn = 0; turn < 100 && (await own('GET', '/v1/tenants')).status !== 401; turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    t.equal((await own('GET', '/v1/tenants')).status, 401)
  })

  await t.test('a session in use ends at last, and a refresh token does not carry it further', async (t) => {
    const { body } = await send('POST', signUp, { name: 'A', email: wanderer(), password: 'correct horse' })
    const own = sender(kernel, { authorization: `Bearer ${body['token']}` })
    const token = [String(body['token']).split('.')[0]]
    const { body: issued } = await own('POST', '/v1/auth/token', {})
    const signedInDaysAgo = (days: number) =>
      database.admin.query(
        `update identity.session set "createdAt" = now() - make_interval(days => ${days}),
           "expiresAt" = now() + interval '1 hour' where token = $1`,
        token,
      )
    const daysLeft = async () => {
      const { rows } = await database.admin.query<{ days: number }>(
        `select round(extract(epoch from "expiresAt" - now()) / 86400)::int as days
           from identity.session where token = $1`,
        token,
      )
      return rows[0]?.days
    }
    await signedInDaysAgo(10)
    t.equal((await own('GET', '/v1/me')).status, 200)
    t.equal(await daysLeft(), 7, 'it is prolonged')
    await signedInDaysAgo(28)
    const next = await send('POST', '/v1/auth/token', { refreshToken: issued['refreshToken'] })
    t.equal(next.status, 200)
    t.equal(await daysLeft(), 2)
    t.equal((await own('GET', '/v1/me')).status, 200)
    t.equal(await daysLeft(), 2)
    await signedInDaysAgo(30)
    t.equal((await send('POST', '/v1/auth/token', { refreshToken: next.body['refreshToken'] })).status, 401)
    t.equal(
      (await send('GET', '/v1/me', undefined, { authorization: `Bearer ${body['token']}` })).status,
      401,
    )
  })

  await t.test('a refusal is in the log with its code, its tenant and its person', async (t) => {
    const member = await place.addMember(tenant, 'member')
    const before = lines.length
    const { headers } = await member('POST', '/v1/finance/accounts', { ...account, code: '2000' })
    const mine = lines.slice(before).filter((line) => line['requestId'] === headers['x-request-id'])
    t.match(
      mine.find((line) => line['code'] !== undefined),
      { code: 'FORBIDDEN' },
    )
    t.match(
      mine.find((line) => line['status'] !== undefined),
      { status: 403, path: '/v1/finance/accounts', user: /.+/ },
    )
    t.match(mine.find((line) => line['tenant'] !== undefined)?.['tenant'], /.+/)
  })

  await t.test('no header and no path makes a line of the log', async (t) => {
    const before = lines.length
    const forged = '{"level":30,"msg":"forged"}'
    await tenant.owner('GET', `/v1/tenant/x%0A${encodeURIComponent(forged)}`)
    await tenant.owner('GET', '/v1/tenant', undefined, {
      'x-request-id': `aaaaaaaa${forged}`,
      'user-agent': forged,
    })
    // Each line was parsed as JSON when it was written.
    for (const line of lines.slice(before)) t.not(line['msg'], 'forged')
    const { headers } = await tenant.owner('GET', '/v1/tenant', undefined, { 'x-request-id': 'a b"c' })
    t.not(headers['x-request-id'], 'a b"c')
  })

  await t.test('credentials and passwords are in no line of the log', async (t) => {
    const [email, password] = [wanderer(), 'pass-7c1d-word']
    const { body } = await send('POST', signUp, { name: 'A', email, password })
    await send('POST', signIn, { email, password: `${password}-wrong` })
    await sender(kernel, { authorization: `Bearer ${body['token']}` })('POST', '/v1/tenants', { wrong: 1 })
    const all = JSON.stringify(lines)
    t.notMatch(all, /pass-7c1d-word/)
    t.equal(all.includes(String(body['token'])), false)
  })
})

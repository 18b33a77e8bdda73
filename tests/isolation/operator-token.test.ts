// Tokens tried at the operator's API: refused, and written down, however many there are.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testKernel } from '../support/kernel.ts'
import { operatorToken } from '../support/operator.ts'

t.test('tokens that are tried at the operator’s API are in the trail, and cannot fill it', async (t) => {
  const { send, database, signUp } = await testKernel(t, {
    operatorToken,
    trustedProxies: ['127.0.0.0/8'],
  })
  const ask = (authorization: string, address: string) =>
    send('GET', '/v1/operator/tenants', undefined, { authorization, 'x-forwarded-for': address })
  const rows = async () =>
    (
      await database.admin.query<{ actor: string; after: { unrecordedBefore: number }; address: string }>(
        `select actor, after, address from kernel.audit
          where entity = 'operatorToken' and action = 'refused' order by 2, 3`,
      )
    ).rows
  const rowsAre = async (wanted: number) => {
    for (let tries = 0; tries < 200 && (await rows()).length < wanted; tries += 1) await sleep(20)
    await sleep(50)
    return rows()
  }

  t.equal((await send('GET', '/v1/operator/tenants')).status, 401)
  t.equal((await ask(`Bearer ${operatorToken}`, '203.0.113.1')).status, 200)
  t.match(await ask('Bearer guess', '203.0.113.1'), { status: 401, body: { code: 'OPERATOR_REQUIRED' } })
  const first = await rowsAre(1)
  t.match(first, [{ actor: 'nobody', address: '203.0.113.1', after: { unrecordedBefore: 0 } }])
  t.notMatch(JSON.stringify(first), 'guess', 'not what was tried')

  for (let n = 0; n < 20; n += 1) await ask(`Bearer guess-${n}`, '203.0.113.1')
  t.equal((await rowsAre(1)).length, 1, 'one network has one row in a minute')
  const person = await signUp()
  t.equal(
    (await person('GET', '/v1/operator/tenants', undefined, { 'x-forwarded-for': '203.0.113.2' })).status,
    401,
  )
  t.match(
    (await rowsAre(2)).map(({ after }) => after.unrecordedBefore),
    [0, 20],
    'and the next one says how many there were',
  )

  for (let n = 0; n < 60; n += 1) await ask('Bearer guess', `198.51.100.${n}`)
  const all = (await rowsAre(10)).length
  // A minute may end meanwhile.
  t.ok(all >= 10 && all <= 20, `${all} rows for 62 networks`)
})

// Attacks on accounts: guessing, and using twice what is good once. Then the same with the walls down.
import t from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { createKernel } from '../../kernel/src/kernel.ts'
import { codeOf } from '../support/authenticator.ts'
import { sender, testConfig, testLog } from '../support/kernel.ts'
import { type PeopleLab, password, peopleLab } from '../support/people-lab.ts'

const limits = { accountAttempts: 4, addressAttempts: 15 }

/** Statuses of guesses for an account, one after another, then with the right password. */
async function guess({ signIn }: PeopleLab, email: string): Promise<number[]> {
  const statuses: number[] = []
  for (const given of ['wrong 1', 'wrong 2', 'wrong 3', 'wrong 4', 'wrong 5', password])
    statuses.push((await signIn(email, given)).status)
  return statuses
}

async function forgetAttempts({ database }: PeopleLab): Promise<void> {
  await database.admin.query('delete from identity.throttle')
}

/** Uses a link of a mail twice, and once too late. */
async function useLinks({ send, link, database }: PeopleLab, email: string): Promise<number[]> {
  const ask = () => send('POST', '/v1/auth/password/forgot', { email })
  const use = async (token: string) =>
    (await send('POST', '/v1/auth/password/reset', { token, password })).status
  await ask()
  const twice = await link(email, /Reset/)
  const statuses = [await use(twice), await use(twice)]
  await ask()
  const late = await link(email, /Reset/)
  await database.admin.query(`update identity.link set expires_at = now() - interval '1 second'`)
  return [...statuses, await use(late)]
}

/** Signs in with a code that somebody saw being typed. */
async function useCode(lab: PeopleLab): Promise<number[]> {
  const { email, send: ada } = await lab.person()
  const uri = String((await ada('POST', '/v1/me/totp', { password })).body['uri'])
  await ada('POST', '/v1/me/totp/confirm', { code: codeOf(uri) })
  const code = codeOf(uri, 1)
  const statuses: number[] = []
  for (let times = 0; times < 2; times += 1) {
    const { body } = await lab.signIn(email)
    const answer = await lab.send('POST', '/v1/auth/sign-in/second-factor', {
      challenge: body['challenge'],
      code,
    })
    statuses.push(answer.status)
  }
  return statuses
}

t.test('attacks on accounts', async (t) => {
  const lab = await peopleLab(t, limits)
  const { admin } = lab.database
  const waits = async () =>
    (
      await admin.query<{ seconds: number }>(
        `select round(extract(epoch from blocked_until - updated_at))::int as seconds
           from identity.throttle where blocked_until > updated_at + interval '1 second'`,
      )
    ).rows.map(({ seconds }) => seconds)

  await t.test('who fails too often waits, whether there is such an account or not', async (t) => {
    const { email } = await lab.person()
    await forgetAttempts(lab)
    t.strictSame(await guess(lab, email), [401, 401, 401, 401, 429, 429])
    await forgetAttempts(lab)
    t.strictSame(await guess(lab, 'nobody@example.com'), [401, 401, 401, 401, 429, 429])
    const blocked = await lab.signIn('nobody@example.com')
    t.match(blocked, { body: { code: 'TOO_MANY_ATTEMPTS' }, headers: { 'retry-after': /^[1-9]\d*$/ } })
    t.strictSame(await waits(), [60])
    for (const longer of [120, 240]) {
      await admin.query('update identity.throttle set blocked_until = now()')
      t.match(await lab.signIn('nobody@example.com'), { status: 401 })
      t.strictSame(await waits(), [longer], 'twice as long')
    }
    const { subject } = await lab.mail(email, /Failed attempts/)
    t.ok(subject, 'the owner is told, and nobody else')
    t.equal(lab.mailbox.to('nobody@example.com').length, 0)
  })

  await t.test('many guesses at the same moment are not many guesses', async (t) => {
    await forgetAttempts(lab)
    const { email } = await lab.person()
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => lab.signIn(email, `wrong ${n}`)))
    const tried = answers.filter(({ status }) => status === 401).length
    t.ok(tried <= limits.accountAttempts, `${tried} of 12 were tried`)
    t.ok(answers.every(({ status }) => status === 401 || status === 429))
  })

  await t.test('another process counts along, and a reset password ends the wait', async (t) => {
    await forgetAttempts(lab)
    const { email } = await lab.person()
    await guess(lab, email)
    const config = testConfig(lab.database.adminUrl, {
      ...limits,
      smtpUrl: lab.mailbox.url,
      verifyEmail: 'required',
    })
    const second = await createKernel(config, testLog)
    t.teardown(() => second.close())
    const there = (given: string) =>
      sender(second)('POST', '/v1/auth/sign-in/email', { email, password: given })
    t.match(await there(password), { status: 429 })
    await lab.send('POST', '/v1/auth/password/forgot', { email })
    const token = await lab.link(email, /Reset/)
    const fresh = 'a cello in the garden'
    t.match(await lab.send('POST', '/v1/auth/password/reset', { token, password: fresh }), { status: 204 })
    t.match(await there(fresh), { status: 200 })
  })

  await t.test(
    'one network that tries many accounts waits, and right passwords do not set its count back',
    async (t) => {
      await forgetAttempts(lab)
      const { email } = await lab.person()
      const statuses = new Set<number>()
      for (let n = 0; n < limits.addressAttempts + 2; n += 1) {
        statuses.add((await lab.signIn(`nobody-${n}@example.com`, 'wrong')).status)
        if (n % 5 === 0) await lab.signIn(email)
      }
      t.same([...statuses].sort(), [401, 429])
      t.match(await lab.signIn(email), { status: 429 })
    },
  )

  await t.test('a link is good once, and not for ever', async (t) => {
    await forgetAttempts(lab)
    const { email } = await lab.person()
    t.strictSame(await useLinks(lab, email), [204, 410, 410])
  })

  await t.test('a code that was seen is no good any more', async (t) => {
    await forgetAttempts(lab)
    t.strictSame(await useCode(lab), [200, 401])
  })

  await t.test('a mailbox is not flooded, and nobody sees that it is not', async (t) => {
    const { email } = await lab.person()
    await forgetAttempts(lab)
    const statuses: number[] = []
    for (let n = 0; n < 9; n += 1)
      statuses.push((await lab.send('POST', '/v1/auth/password/forgot', { email })).status)
    t.ok(statuses.every((status) => status === 202))
    const { rows } = await admin.query(
      'select count(*)::int from kernel.mail where recipient = $1 and kind = $2',
      [email, 'reset-password'],
    )
    t.strictSame(rows, [{ count: 5 }])
  })

  await t.test('the password of a session that was stolen cannot be guessed either', async (t) => {
    await forgetAttempts(lab)
    const { send: thief } = await lab.person()
    const statuses: number[] = []
    for (let n = 0; n < 6; n += 1)
      statuses.push((await thief('POST', '/v1/me/totp/disable', { password: `wrong ${n}` })).status)
    t.strictSame(statuses, [403, 403, 403, 403, 429, 429])
  })

  await t.test('whoever took an address before its owner loses all that he left there', async (t) => {
    await forgetAttempts(lab)
    const email = 'victim@example.com'
    await lab.send('POST', '/v1/auth/sign-up/email', { name: 'Thief', email, password })
    const { rows } = await admin.query(`select id from identity."user" where email = $1`, [email])
    await admin.query(
      `insert into identity.passkey (id, user_id, credential_id, public_key, counter, transports, name, is_backed_up)
       values (gen_random_uuid(), $1, 'thief', '', 0, '{}', 'thief', false)`,
      [rows[0].id],
    )
    await lab.send('POST', '/v1/auth/password/forgot', { email })
    const token = await lab.link(email, /Reset/)
    await lab.send('POST', '/v1/auth/password/reset', { token, password: 'a cello in the garden' })
    t.match(await lab.signIn(email), { status: 401 })
    t.match(await lab.signIn(email, 'a cello in the garden'), { status: 200 })
    const left = await admin.query(`select from identity.passkey where credential_id = 'thief'`)
    t.equal(left.rowCount, 0)
  })
})

t.test('without signInThrottle, singleUse or codeReplay what they stop succeeds', async (t) => {
  const walls: readonly Defence[] = ['signInThrottle', 'singleUse', 'codeReplay']
  const lab = await peopleLab(t, limits, { off: new Set(walls) })
  const { email } = await lab.person()
  t.equal((await guess(lab, email)).at(-1), 200)
  t.strictSame(await useLinks(lab, email), [204, 204, 204])
  t.strictSame(await useCode(lab), [200, 200])
})

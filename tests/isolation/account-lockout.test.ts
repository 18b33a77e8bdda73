// Failures that a stranger makes on purpose, so that somebody else cannot sign in. Then the same with the wall down.
import pg from 'pg'
import t from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { createThrottle } from '../../kernel/src/identity/throttle.ts'
import { testDatabase } from '../support/database.ts'
import { type PeopleLab, password, peopleLab } from '../support/people-lab.ts'

const limits = { accountAttempts: 3, addressAttempts: 12, trustedProxies: ['127.0.0.0/8'] }
const stranger = '203.0.113.9'
const home = '198.51.100.7'

const open = (t: Parameters<typeof peopleLab>[0], ...walls: Defence[]): Promise<PeopleLab> =>
  peopleLab(t, limits, { off: new Set(walls) })
const from = async ({ signIn }: PeopleLab, address: string, email: string, given = password) =>
  (await signIn(email, given, { 'x-forwarded-for': address })).status

/** What the owner gets, somewhere else, when a stranger has failed until he has to wait. */
async function lockOut(lab: PeopleLab): Promise<readonly [stranger: number, owner: number]> {
  const { email } = await lab.person()
  let last = 0
  for (let n = 0; n < 5; n += 1) last = await from(lab, stranger, email, `wrong ${n}`)
  return [last, await from(lab, home, email)]
}

t.test('a stranger who fails on purpose', async (t) => {
  const lab = await open(t)

  await t.test('makes himself wait, and not the owner of the account', async (t) => {
    t.same(await lockOut(lab), [429, 200])
  })

  await t.test(
    'from many networks makes new ones wait, and not those that the owner is known in',
    async (t) => {
      const { email } = await lab.person()
      t.equal(await from(lab, home, email), 200)
      const statuses: number[] = []
      for (let n = 0; n < 32; n += 1) statuses.push(await from(lab, `192.0.2.${n}`, email, 'wrong'))
      t.same(
        statuses.slice(0, 30),
        Array.from({ length: 30 }, () => 401),
      )
      t.same(statuses.slice(30), [429, 429], 'a network that has not failed yet waits as well')
      const mails = lab.mailbox.to(email).filter(({ subject }) => /Failed attempts/.test(subject))
      t.ok(mails.length <= 1, 'the owner is told once')
      t.equal(await from(lab, home, email), 200, 'where he was before he is let in')
      const unknown: number[] = []
      for (let n = 0; n < 32; n += 1)
        unknown.push(await from(lab, `192.0.2.${n}`, 'nobody@example.com', 'wrong'))
      t.same(unknown, statuses, 'and an account that does not exist is answered alike')
    },
  )

  await t.test('does not keep the owner from what asks for his password in his session', async (t) => {
    const { email, send } = await lab.person()
    for (let n = 0; n < 5; n += 1) await from(lab, stranger, email, `wrong ${n}`)
    t.match(await send('POST', '/v1/me/totp', { password }), { status: 200 })
  })

  await t.test('in the owner’s own network keeps him out there, until he resets his password', async (t) => {
    const { email } = await lab.person()
    for (let n = 0; n < 5; n += 1) await from(lab, home, email, `wrong ${n}`)
    t.equal(await from(lab, home, email), 429)
    await lab.send('POST', '/v1/auth/password/forgot', { email })
    const token = await lab.link(email, /Reset/)
    const fresh = 'a cello in the garden'
    const there = { 'x-forwarded-for': home }
    await lab.send('POST', '/v1/auth/password/reset', { token, password: fresh }, there)
    t.equal(await from(lab, home, email, fresh), 200)
  })
})

t.test('without ownFailures he locks the owner out', async (t) => {
  t.same(await lockOut(await open(t, 'ownFailures')), [429, 429])
})

t.test(
  'a sign-in of one’s own that ends meanwhile does not end the waiting for the guesses beside it',
  async (t) => {
    const { adminUrl } = await testDatabase(t)
    const pool = new pg.Pool({ connectionString: adminUrl })
    t.teardown(() => pool.end())
    const throttle = createThrottle(pool)
    const rule = {
      kind: 'address',
      free: 4,
      firstWaitSeconds: 60,
      longestWaitSeconds: 60,
      leakSeconds: 3_600,
    } as const
    const counted = [{ rule, of: stranger }]
    const waits = { code: 'TOO_MANY_ATTEMPTS' }
    const own = await throttle.begin(counted)
    for (let guess = 0; guess < 3; guess += 1) await throttle.begin(counted)
    await t.rejects(throttle.begin(counted), waits)
    await throttle.takeBack(counted, own)
    await t.rejects(throttle.begin(counted), waits)

    const elsewhere = [{ rule, of: home }]
    for (let guess = 0; guess < 3; guess += 1) await throttle.begin(elsewhere)
    const last = await throttle.begin(elsewhere)
    await t.rejects(throttle.begin(elsewhere), waits, 'until it is known that it was right')
    await throttle.takeBack(elsewhere, last)
    t.same(await throttle.begin(elsewhere), elsewhere, 'what a right one began is over with it')
  },
)

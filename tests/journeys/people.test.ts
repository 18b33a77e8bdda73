// A person and his account, from sign-up on, with real mail.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { purgeIdentity } from '../../kernel/src/identity/purge-identity.ts'
import { codeOf } from '../support/authenticator.ts'
import { sender } from '../support/kernel.ts'
import { operatorToken } from '../support/operator.ts'
import { password, peopleLab } from '../support/people-lab.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

/** A range service: knows one password, and answers with others beside it. */
const stolen = 'a violin that was stolen'
const sha1 = createHash('sha1').update(stolen).digest('hex').toUpperCase()
const asked: string[] = []
const ranges = createServer((request, response) => {
  const range = request.url?.slice(1) ?? ''
  asked.push(range)
  if (range === sha1.slice(0, 5)) response.end(`${'0'.repeat(35)}:7\r\n${sha1.slice(5)}:3\r\n`)
  else response.end(`${'0'.repeat(35)}:7\r\n${'1'.repeat(35)}:0\r\n`)
})
await new Promise<void>((resolve) => ranges.listen(0, '127.0.0.1', resolve))
t.teardown(() => ranges.close())
const { port } = ranges.address() as AddressInfo

const lab = await peopleLab(t, { operatorToken, breachUrl: `http://127.0.0.1:${port}/` })
const { send, mail, link, signIn, as, mailbox } = lab
const operator = sender(lab.kernel, { authorization: `Bearer ${operatorToken}` })
const signUp = (email: string, given = password, name = 'Ada') =>
  send('POST', '/v1/auth/sign-up/email', { name, email, password: given })
const { admin } = lab.database
const kindsOf = async (user: ReturnType<typeof as>) =>
  ((await user('GET', '/v1/me/events')).body['items'] as { kind: string }[]).map(({ kind }) => kind)

t.test(
  'signing up asks for the address first, and tells only the mailbox that there is an account',
  async (t) => {
    const first = await signUp('ada@example.com')
    t.match(first, { status: 202, body: { next: 'confirm-email' } })
    t.match(await signIn('ada@example.com'), { status: 403, body: { code: 'EMAIL_NOT_VERIFIED' } })
    t.match(await signIn('ada@example.com', 'not her password'), {
      status: 401,
      body: { reason: 'INVALID_EMAIL_OR_PASSWORD' },
    })
    const again = await signUp('ADA@example.com', 'another password of hers')
    t.strictSame([again.status, again.body], [first.status, first.body], 'the same answer')
    t.match((await mail('ada@example.com', /have an account/)).text, /signed up with this address/)
    const token = await link('ada@example.com', /Confirm/)
    const resent = await link('ada@example.com', /Confirm/)
    t.match(await send('POST', '/v1/auth/email/confirm', { token }), { status: 204 })
    t.match(await send('POST', '/v1/auth/email/confirm', { token }), {
      status: 410,
      body: { code: 'LINK_INVALID' },
    })
    t.match(
      await send('POST', '/v1/auth/email/confirm', { token: resent }),
      { status: 204 },
      'a second one does no harm',
    )
    const signedIn = await signIn('ada@example.com')
    t.match(signedIn, { status: 200, body: { user: { name: 'Ada' } } })
    t.match(await as(String(signedIn.body['token']))('GET', '/v1/me'), {
      body: { email: 'ada@example.com', emailVerified: true, language: 'en', totp: false },
    })
  },
)

t.test('a password that is short, common, one’s own or stolen is refused', async (t) => {
  const refused = { status: 422, body: { code: 'PASSWORD_REFUSED' } }
  t.match(await signUp('eve@example.com', 'password123'), refused)
  t.match(await signUp('eve@example.com', 'PassWord123'), refused)
  t.match(await signUp('eve@example.com', 'aaaaaaaaaaaaaaa'), refused)
  t.match(await signUp('eve@example.com', 'eve@example.com'), refused)
  t.match(await signUp('eve@example.com', stolen), refused)
  t.ok(
    asked.length > 0 && asked.every((range) => /^[0-9A-F]{5}$/.test(range)),
    'no more than five digits leave',
  )
  t.match(await signUp('eve@example.com', 'short'), {
    status: 422,
    body: { errors: [{ field: 'password' }] },
  })
  const { send: eve } = await lab.person()
  t.match(await eve('POST', '/v1/me/password', { current: password, password: 'password123' }), refused)
})

t.test('a password is reset with a link, once, and all sessions end', async (t) => {
  const { email, send: before } = await lab.person()
  const unknown = await send('POST', '/v1/auth/password/forgot', { email: 'nobody@example.com' })
  const known = await send('POST', '/v1/auth/password/forgot', { email })
  t.strictSame([known.status, known.body], [unknown.status, unknown.body])
  t.match(known, { status: 202 })
  const token = await link(email, /Reset your password/)
  const reset = (given: string, on = token) =>
    send('POST', '/v1/auth/password/reset', { token: on, password: given })
  t.match(
    await reset('password123'),
    { status: 422, body: { code: 'PASSWORD_REFUSED' } },
    'and the link is still good',
  )
  const two = await Promise.all([reset('a cello in the garden'), reset('a drum in the garden')])
  t.same(two.map(({ status }) => status).sort(), [204, 410], 'of two at once one')
  t.match(await before('GET', '/v1/me'), { status: 401 })
  t.match(await signIn(email), { status: 401 })
  const worked = await Promise.all([
    signIn(email, 'a cello in the garden'),
    signIn(email, 'a drum in the garden'),
  ])
  t.same(worked.map(({ status }) => status).sort(), [200, 401])
  await mail(email, /password was changed/)
  t.equal(mailbox.to('nobody@example.com').length, 0)
  t.match(await reset('a horn in the garden', 'A'.repeat(43)), { status: 410 })
  await send('POST', '/v1/auth/password/forgot', { email })
  const old = await link(email, /Reset/)
  await admin.query(`update identity.link set expires_at = now() - interval '1 second'`)
  t.match(await reset('a horn in the garden', old), { status: 410 }, 'too old')
  const { rows } = await admin.query('select token_hash from identity.link')
  t.notOk(
    rows.some(({ token_hash }) => token_hash.toString('base64url') === old),
    'the token itself is nowhere',
  )
})

t.test('a password is changed with the old one, and other sessions end', async (t) => {
  const { email, send: here } = await lab.person()
  const there = as(String((await signIn(email)).body['token']))
  const change = (current: string) =>
    here('POST', '/v1/me/password', { current, password: 'a cello in the attic' })
  t.match(await change('not this one'), { status: 403, body: { code: 'WRONG_PASSWORD' } })
  t.match(await there('GET', '/v1/me'), { status: 200 })
  t.match(await change(password), { status: 204 })
  t.match(await here('GET', '/v1/me'), { status: 200 })
  t.match(await there('GET', '/v1/me'), { status: 401 })
  t.match(await signIn(email, 'a cello in the attic'), { status: 200 })
})

t.test('an address is changed when the new mailbox confirms it, and the old one is told', async (t) => {
  const { email, send: ada } = await lab.person()
  const { email: taken } = await lab.person()
  const fresh = `new-${email}`
  const change = (to: string, given = password) => ada('POST', '/v1/me/email', { email: to, password: given })
  t.match(await change(fresh, 'not this one'), { status: 403, body: { code: 'WRONG_PASSWORD' } })
  t.match(await change(taken), { status: 202 })
  t.match(await change(fresh), { status: 202 })
  const token = await link(fresh, /new e-mail address/)
  t.equal(mailbox.to(taken).filter(({ subject }) => /new e-mail/.test(subject)).length, 0)
  t.match(await ada('GET', '/v1/me'), { body: { email } }, 'not before')
  t.match(await send('POST', '/v1/auth/email/confirm', { token }), { status: 204 })
  t.match(await ada('GET', '/v1/me'), { body: { email: fresh, emailVerified: true } })
  await mail(email, /address was changed/)
  t.match(await signIn(email), { status: 401 })
  t.match(await signIn(fresh), { status: 200 })
})

t.test('an address that a tenant vouches for is not changed while one belongs to it', async (t) => {
  const domain = 'kept.example'
  const { send: boss } = await lab.person()
  const { body: tenant } = await boss('POST', '/v1/tenants', { name: 'Kept', slug: 'kept' })
  const { email, send: ada } = await lab.person(`ada@${domain}`)
  const { body: me } = await ada('GET', '/v1/me')
  const { admin } = lab.database
  const change = (to: string) => ada('POST', '/v1/me/email', { email: to, password })
  t.match(await change('early@home.example'), { status: 202 })
  const early = await link('early@home.example', /new e-mail address/)
  await admin.query(`insert into kernel.membership (tenant_id, user_id, role) values ($1, $2, 'member')`, [
    tenant['id'],
    me['id'],
  ])
  await admin.query(
    `insert into kernel.sso_domain (tenant_id, domain, challenge, verified_at)
     select $1, unnest($2::text[]), 'x', now()`,
    [tenant['id'], [domain, 'also-kept.example']],
  )
  await admin.query(
    `insert into kernel.sso_connection (tenant_id, issuer, client_id, sealed_secret, just_in_time, default_role,
       group_roles, accept_unmarked_email, enforced, updated_by)
     values ($1, 'https://idp.example', 'c', 's', false, 'member', '{}', false, false, 'x')`,
    [tenant['id']],
  )
  const managed = { status: 403, body: { code: 'EMAIL_MANAGED', domain } }
  t.match(await change('ada@home.example'), managed)
  t.match(
    await send('POST', '/v1/auth/email/confirm', { token: early }),
    managed,
    'nor by a link from before',
  )
  await admin.query(
    `with gone as (delete from kernel.membership where tenant_id = $1 and user_id = $2 returning *)
     insert into kernel.inactive_member (tenant_id, user_id, role, created_at, role_ids)
     select tenant_id, user_id, role, created_at, '{}' from gone`,
    [tenant['id'], me['id']],
  )
  t.match(await change('ada@home.example'), managed, 'who is deactivated as well')
  t.match(await change('ada@also-kept.example'), { status: 202 }, 'another of its own domains is as good')
  await admin.query('delete from kernel.inactive_member where tenant_id = $1', [tenant['id']])
  t.match(await change('ada@home.example'), { status: 202 }, 'who has left does as he likes')
  t.match(await ada('GET', '/v1/me'), { body: { email } })
})

t.test('name and language are one’s own; mails come in the language', async (t) => {
  const { email, send: ada } = await lab.person()
  t.match(await ada('PATCH', '/v1/me', { name: 'Ada König', language: 'de' }), {
    status: 200,
    body: { name: 'Ada König', language: 'de' },
  })
  t.match(await ada('PATCH', '/v1/me', { language: 'xx' }), {
    status: 422,
    body: { errors: [{ field: 'language' }] },
  })
  t.match(await ada('PATCH', '/v1/me', {}), { status: 422 })
  t.match(await ada('PATCH', '/v1/me', { emailVerified: true }), { status: 422 })
  await send('POST', '/v1/auth/password/forgot', { email })
  t.match((await mail(email, /Setzen Sie/)).text, /Guten Tag Ada König/)
})

t.test('sessions are listed and ended, one’s own and no others', async (t) => {
  const { email, send: here } = await lab.person()
  const other = await lab.person()
  const there = as(String((await signIn(email, password, { 'user-agent': 'a phone' })).body['token']))
  const { body } = await here('GET', '/v1/me/sessions')
  const items = body['items'] as { id: string; isCurrent: boolean; userAgent?: string; address?: string }[]
  t.equal(items.length, 2)
  const phone = items.find(({ userAgent }) => userAgent === 'a phone')
  t.match(phone, { isCurrent: false, address: '127.0.0.1' })
  t.match(await other.send('DELETE', `/v1/me/sessions/${phone?.id}`), { status: 404 })
  t.match(await there('GET', '/v1/me'), { status: 200 })
  t.match(await here('DELETE', `/v1/me/sessions/${phone?.id}`), { status: 204 })
  t.match(await there('GET', '/v1/me'), { status: 401 })
  const third = as(String((await signIn(email)).body['token']))
  t.match(await here('DELETE', '/v1/me/sessions'), { status: 204 })
  t.match([await third('GET', '/v1/me'), await here('GET', '/v1/me')], [{ status: 401 }, { status: 200 }])
  t.match(await here('GET', '/v1/me/sessions?limit=1'), { body: { items: [{ isCurrent: true }] } })
  await here('POST', '/v1/auth/sign-out')
  const again = as(String((await signIn(email)).body['token']))
  t.same((await kindsOf(again)).slice(0, 4), ['signed-in', 'signed-out', 'session-revoked', 'signed-in'])
})

t.test('codes of an authenticator: set up, asked for, used once, recovered, switched off', async (t) => {
  const { email, send: ada } = await lab.person()
  const there = as(String((await signIn(email)).body['token']))
  t.match(await ada('POST', '/v1/me/totp', { password: 'not this one' }), {
    body: { code: 'WRONG_PASSWORD' },
  })
  const setUp = await ada('POST', '/v1/me/totp', { password })
  const uri = String(setUp.body['uri'])
  const recovery = setUp.body['recoveryCodes'] as string[]
  t.match(uri, /^otpauth:\/\/totp\/Plinth/)
  t.equal(recovery.length, 10)
  t.match(await signIn(email), { status: 200 }, 'nothing is on yet')
  t.match(await ada('POST', '/v1/me/totp/confirm', { code: '000000' }), {
    status: 401,
    body: { code: 'WRONG_CODE' },
  })
  const setUpCode = codeOf(uri)
  const confirmed = await ada('POST', '/v1/me/totp/confirm', { code: setUpCode })
  t.equal(confirmed.status, 200)
  const now = as(String(confirmed.body['token']))
  t.match(await now('GET', '/v1/me'), { body: { totp: true } })
  t.match([await ada('GET', '/v1/me'), await there('GET', '/v1/me')], [{ status: 401 }, { status: 401 }])
  await mail(email, /How you sign in was changed/)

  const challenge = async () => {
    const answer = await signIn(email)
    t.match(answer, { status: 202, body: { next: 'second-factor' } })
    t.notOk(answer.body['token'])
    return String(answer.body['challenge'])
  }
  const second = (body: object) => send('POST', '/v1/auth/sign-in/second-factor', body)
  t.match(await second({ challenge: await challenge(), code: setUpCode }), { status: 401 }, 'it was used')
  for (const steps of [-2, 2])
    t.match(await second({ challenge: await challenge(), code: codeOf(uri, steps) }), { status: 401 })
  const first = await challenge()
  const code = codeOf(uri, 1)
  for (const body of [{}, { code, recoveryCode: recovery[0] }])
    t.match(await second({ challenge: first, ...body }), {
      status: 422,
      body: { errors: [{ field: 'code' }] },
    })
  t.match(await as(first)('GET', '/v1/me'), { status: 401 }, 'a challenge is no session')
  t.match(await second({ challenge: first, code: '000000' }), { status: 401, body: { code: 'WRONG_CODE' } })
  t.match(await second({ challenge: `${first}x`, code }), { status: 401, body: { code: 'WRONG_CODE' } })
  t.match(await second({ challenge: first, code }), { status: 200, body: { user: { email } } })
  t.match(await second({ challenge: first, code }), { status: 401 }, 'a challenge is good once')
  t.match(await second({ challenge: await challenge(), code }), { status: 401 }, 'and so is a code')
  const wrong = await challenge()
  for (let n = 0; n < 5; n += 1) await second({ challenge: wrong, code: '000000' })
  t.match(
    await second({ challenge: wrong, code: codeOf(uri, -1) }),
    { status: 401 },
    'five attempts, then anew',
  )

  const byRecovery = await second({ challenge: await challenge(), recoveryCode: recovery[0] })
  t.match(byRecovery, { status: 200 })
  t.match(await second({ challenge: await challenge(), recoveryCode: recovery[0] }), { status: 401 })
  const ours = as(String(byRecovery.body['token']))
  const made = await ours('POST', '/v1/me/recovery-codes', { password })
  t.equal((made.body['recoveryCodes'] as string[]).length, 10)
  t.match(
    await second({ challenge: await challenge(), recoveryCode: recovery[1] }),
    { status: 401 },
    'the old are over',
  )
  t.match(await ours('POST', '/v1/me/totp/disable', { password: 'not this one' }), {
    body: { code: 'WRONG_PASSWORD' },
  })
  const off = await ours('POST', '/v1/me/totp/disable', { password })
  t.match(off, { status: 200 })
  t.match(await as(String(off.body['token']))('GET', '/v1/me'), { body: { totp: false } })
  t.match(await signIn(email), { status: 200 })
})

t.test('the operator takes codes away from somebody who has lost them', async (t) => {
  const { email, send: ada } = await lab.person()
  const uri = String((await ada('POST', '/v1/me/totp', { password })).body['uri'])
  const { body } = await ada('POST', '/v1/me/totp/confirm', { code: codeOf(uri) })
  const found = await operator('GET', `/v1/operator/people?email=${email}`)
  const [person] = found.body['items'] as { id: string }[]
  t.match(person, { totp: true })
  const path = `/v1/operator/people/${person?.id}/remove-factors`
  t.match(await as(String(body['token']))('POST', path), { status: 401 })
  t.match(await operator('POST', path), { status: 200, body: { totp: false } })
  t.match(await as(String(body['token']))('GET', '/v1/me'), { status: 401 })
  t.match(await signIn(email), { status: 200 })
})

t.test(
  'the operator shuts somebody out at once, also from a session that is being made, and lets him in',
  async (t) => {
    const { email, send: ada } = await lab.person()
    const { body } = await operator('GET', `/v1/operator/people?email=${email.toUpperCase()}`)
    const [found] = body['items'] as { id: string }[]
    t.match(found, { email, isDisabled: false })
    const path = `/v1/operator/people/${found?.id}`
    await ada('POST', '/v1/tenants', { name: 'Ada', slug: 'of-ada' })
    const key = await ada('POST', '/v1/me/keys', { name: 'k', scopes: ['*'] }, { 'x-tenant-id': 'of-ada' })
    t.match(await as(String(key.body['key']))('GET', '/v1/tenant'), { status: 200 })
    t.match(await ada('POST', `${path}/disable`, {}), { status: 401, body: { code: 'OPERATOR_REQUIRED' } })
    await admin.query('begin')
    await admin.query('select from identity."user" where id = $1 for key share', [found?.id])
    const disabling = operator('POST', `${path}/disable`, { reason: 'left' })
    await someoneWaitsForALock(admin)
    await admin.query(
      `insert into identity.session ("id", "expiresAt", "token", "updatedAt", "userId")
     values ('late', now() + interval '1 day', 'a-token-that-was-late-for-it-all', now(), $1)`,
      [found?.id],
    )
    await admin.query('commit')
    t.match(await disabling, { status: 200, body: { isDisabled: true } })
    t.match(await ada('GET', '/v1/me'), { status: 401 })
    t.match(await as(String(key.body['key']))('GET', '/v1/tenant'), { status: 401 })
    t.match(await as('a-token-that-was-late-for-it-all')('GET', '/v1/me'), { status: 401 })
    t.match(await signIn(email), { status: 403, body: { code: 'PERSON_DISABLED' } })
    t.match(await signIn(email, 'not his password'), {
      status: 401,
      body: { reason: 'INVALID_EMAIL_OR_PASSWORD' },
    })
    t.match(await operator('POST', `${path}/enable`), { status: 200, body: { isDisabled: false } })
    t.match(await signIn(email), { status: 200 })
    t.match(await operator('POST', '/v1/operator/people/nobody/disable', {}), { status: 404 })
  },
)

t.test('what is over is taken away, and what is not stays', async (t) => {
  const { email, send: ada } = await lab.person()
  await send('POST', '/v1/auth/password/forgot', { email })
  const token = await link(email, /Reset/)
  await admin.query(
    `insert into identity.link (token_hash, purpose, user_id, email, expires_at)
     select sha256('old'), 'verify-email', id, email, now() - interval '1 hour' from identity."user" where email = $1`,
    [email],
  )
  await admin.query(
    `insert into identity.throttle (key, failures, blocked_until, updated_at)
     values (sha256('old'), 3, now() - interval '3 days', now() - interval '3 days')`,
  )
  await admin.query(
    `update kernel.mail set sent_at = now() - interval '31 days' where recipient = 'ada@example.com'`,
  )
  t.ok((await purgeIdentity(admin)) >= 3)
  t.equal(await purgeIdentity(admin), 0)
  t.match(await ada('GET', '/v1/me'), { status: 200 })
  const reset = { token, password: 'a cello in the garden' }
  t.match(await send('POST', '/v1/auth/password/reset', reset), { status: 204 })
})

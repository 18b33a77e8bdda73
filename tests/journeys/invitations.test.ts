// Joining a tenant by invitation, and being deactivated in one.
import t, { type Test } from 'tap'
import type { Send } from '../support/kernel.ts'
import { password, peopleLab } from '../support/people-lab.ts'

const lab = await peopleLab(t)
const { send, link, as, mail, mailbox } = lab
const { admin } = lab.database

async function tenant(slug: string, locale = 'en') {
  const person = await lab.person()
  await person.send('POST', '/v1/tenants', { name: `Firma ${slug}`, slug, locale })
  return { slug, person, owner: as(person.token, slug) }
}

const look = (token: string) => send('POST', '/v1/auth/invitations/look', { token })
const accept = (token: string, more: object = {}) =>
  send('POST', '/v1/auth/invitations/accept', { token, ...more })
const account = { account: { name: 'Grace', password } }

t.test('somebody without an account accepts in one call, and is signed in', async (t) => {
  const { owner, slug } = await tenant('alpha', 'de-AT')
  const email = 'grace@example.com'
  const made = await owner('POST', '/v1/tenant/invitations', { email, role: 'admin' })
  t.match(made, { status: 201, body: { email, role: 'admin', language: 'de', state: 'open' } })
  t.match(await owner('POST', '/v1/tenant/invitations', { email: 'GRACE@example.com', role: 'member' }), {
    status: 409,
    body: { code: 'RECORD_CONFLICT' },
  })
  const { text } = await mail(email, /Einladung zu Firma alpha/)
  const token = /#invitation=(\S+)/.exec(text)?.[1] ?? ''
  t.match(await look(token), {
    status: 200,
    body: { tenant: { slug }, email, role: 'admin', hasAccount: false },
  })
  t.match(await accept(token), { status: 401 })
  t.match(await accept(token, { account: { name: 'Grace' } }), { status: 422 })
  t.match(await accept(token, { account: { name: 'Grace', password: 'password123' } }), {
    body: { code: 'PASSWORD_REFUSED' },
  })
  const both = await Promise.all([
    accept(token, account),
    accept(token, { account: { name: 'Another', password } }),
  ])
  t.same(both.map(({ status }) => status).sort(), [200, 410], 'of two at once one')
  const accepted = both.find(({ status }) => status === 200)
  const grace = as(String(accepted?.body['token']))
  t.match(await grace('GET', '/v1/tenant'), { status: 200, body: { slug, role: 'admin' } })
  t.match(await grace('GET', '/v1/me'), { body: { email, emailVerified: true } })
  t.match(await accept(token, account), { status: 410, body: { code: 'LINK_INVALID' } })
  t.match(await look('A'.repeat(43)), { status: 410 })
  t.match(await owner('GET', '/v1/tenant/invitations'), { body: { items: [{ email, state: 'accepted' }] } })
  t.match(
    await owner('POST', '/v1/tenant/invitations', { email, role: 'member' }),
    { status: 409 },
    'a member is not invited',
  )
  const { rows } = await admin.query(
    `select entity, action from kernel.audit a join kernel.tenant t on t.id = a.tenant_id
      where t.slug = 'alpha' and entity in ('invitation', 'membership') and action <> 'created' order by 1, 2`,
  )
  t.strictSame(rows, [
    { entity: 'invitation', action: 'accepted' },
    { entity: 'membership', action: 'added' },
  ])
})

t.test('one login in many tenants; an invitation is revoked, sent again, and grows old', async (t) => {
  const first = await tenant('beta')
  const second = await tenant('gamma')
  const ada = await lab.person()
  const invite = (owner: typeof first.owner) =>
    owner('POST', '/v1/tenant/invitations', { email: ada.email, role: 'member' })
  const revoked = await invite(first.owner)
  const path = `/v1/tenant/invitations/${revoked.body['id']}`
  const old = await link(ada.email, /Invitation/)
  t.match(await second.owner('DELETE', path), { status: 404 }, 'not one of another tenant')
  t.match(await second.owner('POST', `${path}/resend`), { status: 404 })
  t.match(await first.owner('POST', `${path}/resend`), { status: 200, body: { state: 'open' } })
  const again = await link(ada.email, /Invitation/)
  t.match(await look(old), { status: 410 }, 'the link before is over')
  t.match(await look(again), { status: 200, body: { hasAccount: true } })
  t.match(await first.owner('DELETE', path), { status: 204 })
  t.match(await ada.send('POST', '/v1/auth/invitations/accept', { token: again }), { status: 410 })
  t.match(await first.owner('POST', `${path}/resend`), { status: 404 })

  await invite(first.owner)
  const late = await link(ada.email, /Invitation/)
  await admin.query(
    `update kernel.invitation set expires_at = now() - interval '1 second' where accepted_at is null`,
  )
  t.match(await ada.send('POST', '/v1/auth/invitations/accept', { token: late }), { status: 410 })
  t.match(await first.owner('GET', '/v1/tenant/invitations?limit=1'), {
    body: { items: [{ state: 'expired' }] },
  })
  t.match(await invite(first.owner), { status: 201 }, 'one that is too old makes room')
  await invite(second.owner)
  for (let n = 0; n < 2; n += 1) {
    const token = await link(ada.email, /Invitation/)
    t.match(await accept(token, account), { status: 409, body: { code: 'INVITATION_NEEDS_SIGN_IN' } })
    t.match(await ada.send('POST', '/v1/auth/invitations/accept', { token }), { status: 200 })
  }
  const { body } = await ada.send('GET', '/v1/tenants')
  t.same((body['items'] as { slug: string }[]).map(({ slug }) => slug).sort(), ['beta', 'gamma'])
})

/** What an administrator has sent is good for as long as he could send it, and what a key may send makes no administrator. */
async function asked(t: Test, owner: Send, slug: string): Promise<void> {
  const url = '/v1/tenant/invitations'
  await owner('POST', url, { email: 'eve@delta.example', role: 'admin' })
  const { body } = await accept(await link('eve@delta.example', /Invitation/), account)
  const eve = as(String(body['token']), slug)
  const { body: me } = await eve('GET', '/v1/me')
  const key = await eve('POST', '/v1/me/keys', { name: 'all', scopes: ['*'] })
  const cut = await eve('POST', '/v1/me/keys', { name: 'cut', scopes: ['tenant.members.manage'] })
  const [whole, part] = [key, cut].map((made) => as(String(made.body['key'])))
  if (!whole || !part) throw new Error('two keys')
  const person = { status: 403, body: { code: 'PERSON_REQUIRED' } }
  t.match(await whole('POST', url, { email: 'y@delta.example', role: 'admin' }), person)
  t.match(await whole('POST', url, { email: 'plain@delta.example', role: 'member' }), { status: 201 })
  const sent = await eve('POST', url, { email: 'next@delta.example', role: 'admin' })
  const resend = `${url}/${String(sent.body['id'])}/resend`
  t.match(await whole('POST', resend), person)
  t.match(await part('POST', resend), { status: 403, body: { code: 'SCOPE_REQUIRED' } })
  const token = await link('next@delta.example', /Invitation/)
  const plain = await link('plain@delta.example', /Invitation/)
  t.match([await look(token), await look(plain)], [{ status: 200 }, { status: 200 }])
  const rules = (permission: string) => ({ rules: [{ permission, effect: 'deny' }] })
  const role = await owner('POST', '/v1/tenant/roles', { name: 'Less', ...rules('tenant.export') })
  await owner('POST', `/v1/tenant/members/${me['id']}/roles`, { role: role.body['id'] })
  t.match(
    [await look(token), await look(plain)],
    [{ status: 410 }, { status: 200 }],
    'she makes no admins now',
  )
  await owner('PATCH', `/v1/tenant/roles/${role.body['id']}`, rules('tenant.members.manage'))
  t.match(await accept(plain, account), { status: 410 }, 'nor members')
  await owner('DELETE', `/v1/tenant/members/${me['id']}/roles/${role.body['id']}`)
  t.match(await look(token), { status: 200 })
  await admin.query('insert into identity.person (user_id, disabled_at) values ($1, now())', [me['id']])
  t.match(await accept(token, account), { status: 410 }, 'the operator has shut her out')
}

t.test('who invites, and what he may give', async (t) => {
  const { owner, slug } = await tenant('delta')
  const join = async (role: string, email: string) => {
    await owner('POST', '/v1/tenant/invitations', { email, role })
    const { body } = await accept(await link(email, /Invitation/), account)
    return as(String(body['token']), slug)
  }
  const administrator = await join('admin', 'admin@delta.example')
  const member = await join('member', 'member@delta.example')
  const invite = (by: typeof owner, email: string, role = 'member') =>
    by('POST', '/v1/tenant/invitations', { email, role })
  t.match(await invite(member, 'x@delta.example'), { status: 403 })
  t.match(await member('GET', '/v1/tenant/invitations'), { status: 403 })
  t.match(await invite(administrator, 'x@delta.example', 'owner'), { status: 403 })
  t.match(await invite(administrator, 'x, y@delta.example'), {
    status: 422,
    body: { errors: [{ field: 'email' }] },
  })
  t.match(await invite(administrator, 'x@delta.example', 'king'), { status: 422 })
  t.match(
    await administrator('POST', '/v1/tenant/members', { email: 'member@delta.example', role: 'admin' }),
    {
      status: 403,
      body: { code: 'INVITATION_REQUIRED' },
    },
  )
  await invite(administrator, 'back@delta.example', 'admin')
  const wayBack = await link('back@delta.example', /Invitation/)
  const { body } = await owner('GET', '/v1/tenant/members')
  const members = body['items'] as { userId: string; email: string }[]
  const id = (email: string) => members.find((one) => one.email === email)?.userId
  t.match(await owner('DELETE', `/v1/tenant/members/${id('admin@delta.example')}`), { status: 204 })
  t.match(await accept(wayBack, account), { status: 410 }, 'who was removed has left himself no way back in')
  await asked(t, owner, slug)
  await admin.query(
    `insert into kernel.mail (id, tenant_id, kind, recipient, sent_at)
     select gen_random_uuid(), t.id, 'invitation', 'x', now() from kernel.tenant t, generate_series(1, 200) where t.slug = $1`,
    [slug],
  )
  t.match(await invite(owner, 'x@delta.example'), { status: 429, body: { code: 'INVITATION_LIMIT' } })
})

t.test(
  'a member who is deactivated is out of this tenant at once, and in the others as before',
  async (t) => {
    const { owner, slug, person } = await tenant('epsilon')
    const other = await tenant('zeta')
    const email = 'leaver@example.com'
    await owner('POST', '/v1/tenant/invitations', { email, role: 'admin' })
    const accepted = await accept(await link(email, /Invitation/), account)
    const token = String(accepted.body['token'])
    await other.owner('POST', '/v1/tenant/invitations', { email, role: 'member' })
    await as(token)('POST', '/v1/auth/invitations/accept', { token: await link(email, /Invitation/) })
    const { body } = await owner('GET', '/v1/tenant/members')
    const ids = new Map(
      (body['items'] as { userId: string; email: string }[]).map((one) => [one.email, one.userId]),
    )
    const path = `/v1/tenant/members/${ids.get(email)}`
    const here = as(token, slug)
    t.match(await here('GET', '/v1/tenant'), { status: 200 })
    t.match(await owner('PATCH', path, {}), { status: 422 })
    const off = await owner('PATCH', path, { active: false })
    t.match(off, { status: 200, body: { email, active: false, role: 'admin' } })
    t.match(await here('GET', '/v1/tenant'), { status: 404 })
    t.match(await here('PATCH', path, { active: true }), { status: 404 })
    t.match(await as(token, other.slug)('GET', '/v1/tenant'), { status: 200 })
    t.match(await as(token)('GET', '/v1/tenants'), { body: { items: [{ slug: 'zeta' }] } })
    t.match(await owner('GET', '/v1/tenant/members'), { body: { items: [{}, {}] } }, 'he keeps his place')
    t.match(await owner('POST', '/v1/tenant/invitations', { email, role: 'member' }), { status: 409 })
    t.match(await owner('PATCH', path, { active: true }), {
      status: 200,
      body: { active: true, role: 'admin' },
    })
    t.match(await here('GET', '/v1/tenant'), { status: 200, body: { role: 'admin' } })
    const own = `/v1/tenant/members/${ids.get(person.email)}`
    t.match(await here('PATCH', own, { active: false }), { status: 403 })
    t.match(await owner('PATCH', own, { active: false }), { status: 409, body: { code: 'LAST_OWNER' } })
    await owner('PATCH', path, { active: false })
    t.match(await owner('DELETE', path), { status: 204 })
    t.match(await owner('PATCH', path, { active: true }), { status: 404 })
    t.equal(mailbox.to(email).length, 2)
  },
)

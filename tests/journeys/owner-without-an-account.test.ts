// The operator opens a tenant for somebody who has never been here: he is asked by mail, and owns it when he accepts.
import t from 'tap'
import { sender } from '../support/kernel.ts'
import { operatorToken } from '../support/operator.ts'
import { password, peopleLab } from '../support/people-lab.ts'

t.test('a tenant whose owner has no account yet', async (t) => {
  const lab = await peopleLab(t, { operatorToken })
  const { send, link, as, database } = lab
  const operator = sender(lab.kernel, { authorization: `Bearer ${operatorToken}` })
  const tenants = '/v1/operator/tenants'
  const email = 'new-owner@example.com'
  const accept = (token: string, account?: object) =>
    send('POST', '/v1/auth/invitations/accept', { token, ...(account ? { account } : {}) })

  await t.test('is made at once, with its modules, and has nobody until he accepts', async (t) => {
    const made = await operator('POST', tenants, {
      name: 'Neu GmbH',
      slug: 'neu',
      locale: 'de-DE',
      modules: [{ module: 'finance' }],
      owner: { email },
    })
    t.match(made, {
      status: 201,
      body: { owners: [], invitedOwner: email, members: 0, modules: ['finance'] },
    })
    const token = await link(email, /Neu GmbH ist für Sie eingerichtet/)
    t.match(await send('POST', '/v1/auth/invitations/look', { token }), {
      body: { tenant: { slug: 'neu' }, role: 'owner', hasAccount: false },
    })
    const accepted = await accept(token, { name: 'Nina', password })
    t.match(accepted, { status: 200, body: { role: 'owner', token: String } })
    t.match(await as(String(accepted.body['token']), 'neu')('GET', '/v1/tenant'), { body: { role: 'owner' } })
    const now = await operator('GET', `${tenants}/neu`)
    t.match(now.body, { owners: [email], members: 1 })
    t.notOk('invitedOwner' in now.body)
    t.match(await accept(token, { name: 'Nina', password }), { status: 410 }, 'the link is good once')
  })

  await t.test('is offered to another when the first does not come', async (t) => {
    await operator('POST', tenants, { name: 'Late', slug: 'late', owner: { email: 'first@example.com' } })
    const old = await link('first@example.com', /Late is ready/)
    const owner = (to: string) => operator('POST', `${tenants}/late/owner`, { email: to })
    t.match(await owner('second@example.com'), { status: 200, body: { invitedOwner: 'second@example.com' } })
    t.match(await accept(old, { name: 'First', password }), { status: 410, body: { code: 'LINK_INVALID' } })
    const again = await link('second@example.com', /Late is ready/)
    await owner('second@example.com')
    const newest = await link('second@example.com', /Late is ready/)
    t.match(await accept(again, { name: 'S', password }), { status: 410 }, 'the one before is over')
    const person = await lab.person('third@example.com')
    t.match(await person.send('POST', '/v1/auth/invitations/accept', { token: newest }), {
      status: 403,
      body: { code: 'INVITATION_FOR_ANOTHER' },
    })
    const made = await owner('third@example.com')
    t.match(
      made,
      { status: 200, body: { owners: ['third@example.com'] } },
      'who has an account has it at once',
    )
    t.notOk('invitedOwner' in made.body)
    t.match(await accept(newest, { name: 'S', password }), { status: 410 })
    t.match(await owner('fourth@example.com'), { status: 409, body: { code: 'RECORD_CONFLICT' } })
    t.match(await owner('nonsense'), { status: 422, body: { errors: [{ field: 'email' }] } })
    t.match(await person.send('POST', `${tenants}/late/owner`, { email: 'third@example.com' }), {
      status: 401,
    })
  })

  await t.test('leaves nothing behind when a module cannot be enabled', async (t) => {
    const nobody = { email: 'nobody@example.com' }
    const modules = [{ module: 'nothing' }]
    t.match(await operator('POST', tenants, { name: 'X', slug: 'x', owner: nobody, modules }), {
      status: 404,
    })
    const { rows } = await database.admin.query('select from kernel.mail where recipient = $1', [
      nobody.email,
    ])
    t.same(rows, [])
  })
})

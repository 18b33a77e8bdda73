// A webhook to which nothing arrives for too long: it is switched off, and those who can do something about it are told.
import t from 'tap'
import { hooksLab } from '../support/hooks-lab.ts'
import { until } from '../support/queue-lab.ts'
import { startSmtpServer } from '../support/smtp-server.ts'

t.test('a webhook that fails for days is disabled, with a mail to owners and admins', async (t) => {
  const mailbox = await startSmtpServer(t)
  // A day of this test is a moment.
  const lab = await hooksLab(t, { smtpUrl: mailbox.url, webhookDisableDays: 1e-5 })
  const tenant = await lab.open()
  const [admin, member] = [await lab.join(tenant, 'admin'), await lab.join(tenant, 'member')]
  const emailOf = async (id: string) =>
    (await lab.database.admin.query('select email from identity."user" where id = $1', [id])).rows[0].email
  await admin.send('PATCH', '/v1/me', { language: 'de' })
  lab.receiver.answer('dead.bank.example', () => ({ status: 500 }))
  const { url, id } = await tenant.hook('dead.bank.example', {
    url: 'https://dead.bank.example/in?key=secret',
  })
  await tenant.ring('one', 3)
  const after = await until(
    async () => (await tenant.owner('GET', url)).body,
    ({ state }) => state === 'disabled',
  )
  t.match(after, { state: 'disabled', disabledReason: 'failing', disabledAt: /^20/ })
  const states = async () =>
    ((await tenant.owner('GET', `${url}/deliveries`)).body['items'] as { state: string }[]).map(
      ({ state }) => state,
    )
  const ended = await until(states, (all) => all.every((state) => state !== 'waiting' && state !== 'running'))
  t.ok(
    ended.every((state) => state === 'failed' || state === 'skipped'),
    ended.join(),
  )

  const adminMail = await emailOf(admin.id)
  const mails = await until(
    async () => mailbox.to(adminMail),
    (all) => all.length > 0,
  )
  t.equal(mails.length, 1)
  t.match(mails[0], {
    subject: /^Ein Webhook von t-.* wurde abgeschaltet$/,
    text: /https:\/\/dead\.bank\.example\/in wurde/,
  })
  t.notMatch(mails[0]?.text, /secret/, 'what stands behind the ? opens something')
  const owners = await until(
    async () => mailbox.mails.filter(({ subject }) => /^A webhook of t-.* was switched off$/.test(subject)),
    (all) => all.length > 0,
  )
  t.equal(owners.length, 1)
  t.equal(mailbox.to(await emailOf(member.id)).length, 0, 'a member can do nothing about it')
  const { rows } = await lab.database.admin.query(
    "select actor, action, after ->> 'disabledReason' as why from kernel.audit where entity = 'webhook' and record_id = $1 order by id",
    [id],
  )
  t.match(rows, [{ action: 'created' }, { actor: 'kernel', action: 'disabled', why: 'failing' }])

  await tenant.ring('meanwhile')
  const position = "select position from kernel.outbox where payload ->> 'note' = 'meanwhile'"
  await until(
    async () => (await lab.database.admin.query(position)).rows[0]?.position,
    (at) => at !== null,
  )
  lab.receiver.answer('dead.bank.example', () => ({ status: 204 }))
  t.match(await tenant.owner('POST', `${url}/enable`), { status: 200, body: { state: 'enabled' } })
  const since = new Date(Date.now() - 60_000).toISOString()
  const seen = lab.receiver.of('dead.bank.example').length
  t.match(await tenant.owner('POST', `${url}/replay`, { from: since }), { body: { replayed: 4 } })
  const all = await until(
    async () => lab.receiver.of('dead.bank.example').slice(seen),
    (some) => some.length === 4,
  )
  t.strictSame(all.map(({ body }) => body.data['note']).sort(), ['meanwhile', 'one', 'one', 'one'])
})

// Mail against a real SMTP server on loopback: what is sent, what is tried again, and what is given up.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import pino from 'pino'
import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { type Mailbox, startSmtpServer } from '../../../tests/support/smtp-server.ts'
import { createSeal } from '../outside/seal.ts'
import { createMailOutbox } from './mail-outbox.ts'
import { type SendingLimits, sendingLimits, startMailSender } from './mail-sender.ts'
import { smtpTransport } from './mail-transport.ts'

const db = await testDatabase(t)
const pool = new pg.Pool(db.access.kernel)
t.teardown(() => pool.end())
const seal = createSeal('a secret that is used in tests only')
const outbox = createMailOutbox(seal, true)
const log = pino({ level: 'silent' })
const quick: SendingLimits = { ...sendingLimits, firstDelayMs: 1, longestDelayMs: 5, pollMs: 10, attempts: 4 }
const tx = {
  query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
    (await pool.query<Row>(text, [...values])).rows,
}

const sender = (mailbox: Mailbox, limits = quick) =>
  startMailSender(
    { pool, transport: smtpTransport(mailbox.url, 'Acme ERP <erp@acme.example>'), seal, log },
    limits,
  )

const invite = (to: string, tenant = 'Ärzte & Söhne <GmbH>', language: 'en' | 'de' = 'de') =>
  outbox.queue(tx, {
    to,
    kind: 'invitation',
    language,
    facts: { tenant, inviter: 'Ada', expires: new Date('2026-05-01T12:00:00Z') },
    link: 'https://erp.example/#invitation=abc&x=1',
  })

async function rowOf(to: string) {
  const { rows } = await db.admin.query(
    'select attempts, sent_at is not null as sent, dead_at is not null as dead, content is null as empty, last_error from kernel.mail where recipient = $1',
    [to],
  )
  return rows[0]
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await check()) return
    await sleep(10)
  }
  throw new Error('it did not happen')
}

t.test('a mail is sent in the language of its reader, with what people wrote as text', async (t) => {
  const mailbox = await startSmtpServer(t)
  await invite('a@example.com', 'Evil\r\nBcc: victim@example.com <script>alert(1)</script>')
  await invite('b@example.com')
  const { rows } = await db.admin.query('select content from kernel.mail')
  t.ok(
    rows.every(({ content }) => !content.includes('invitation=abc')),
    'links are sealed at rest',
  )
  const sending = sender(mailbox)
  await until(async () => mailbox.mails.length === 2)
  await sending.close()
  const [evil, good] = ['a', 'b'].map((name) => mailbox.to(`${name}@example.com`)[0])
  t.same(evil?.recipients, ['a@example.com'], 'a header cannot be added')
  t.notMatch(evil?.html, /<script/)
  t.match(evil?.headers, { from: 'Acme ERP <erp@acme.example>', 'auto-submitted': 'auto-generated' })
  t.match(good?.subject, 'Einladung zu Ärzte & Söhne <GmbH>')
  t.match(
    good?.text,
    /Ada lädt Sie zu Ärzte & Söhne <GmbH> ein\.\n\nhttps:\/\/erp\.example\/#invitation=abc&x=1\n/,
  )
  t.match(good?.html, /Ärzte &amp; Söhne &lt;GmbH&gt; ein/)
  t.match(good?.text, /bis 1\. Mai 2026 um 12:00 UTC/)
  t.match(good?.html, /href="https:\/\/erp\.example\/#invitation=abc&amp;x=1"/)
  t.strictSame(await rowOf('b@example.com'), {
    attempts: 1,
    sent: true,
    dead: false,
    empty: true,
    last_error: null,
  })
})

t.test('a server that fails is tried again, with the same message id; one that refuses is not', async (t) => {
  const mailbox = await startSmtpServer(t)
  mailbox.answer((to, attempt) =>
    to.startsWith('later') && attempt < 3 ? 451 : to.startsWith('nobody') ? 550 : 0,
  )
  await invite('later@example.com')
  await invite('nobody@example.com')
  const sending = sender(mailbox)
  await until(async () => (await rowOf('later@example.com')).sent && (await rowOf('nobody@example.com')).dead)
  await sending.close()
  t.match(await rowOf('later@example.com'), { attempts: 3, sent: true, empty: true })
  t.match(await rowOf('nobody@example.com'), { attempts: 1, sent: false, empty: true, last_error: /550/ })
})

t.test('what never succeeds is given up after some attempts', async (t) => {
  const mailbox = await startSmtpServer(t)
  mailbox.answer(() => 451)
  await invite('never@example.com')
  const sending = sender(mailbox)
  await until(async () => (await rowOf('never@example.com')).dead)
  await sending.close()
  t.match(await rowOf('never@example.com'), { attempts: 4, sent: false, empty: true, last_error: /451/ })
})

t.test('two processes send forty mails once each, and what one of them took and left is sent', async (t) => {
  const mailbox = await startSmtpServer(t)
  for (let n = 0; n < 40; n += 1) await invite(`n${n}@example.com`)
  // A process that was killed while it sent: the mail was its own, and the lease is over.
  await db.admin.query(
    `update kernel.mail set attempts = 1, next_at = now() - interval '1 second' where recipient = 'n0@example.com'`,
  )
  const both = [sender(mailbox), sender(mailbox)]
  await until(async () => mailbox.mails.length >= 40)
  for (const one of both) await one.close()
  t.equal(mailbox.mails.length, 40)
  t.equal(new Set(mailbox.mails.map(({ recipients }) => recipients[0])).size, 40)
})

t.test('mail that nobody can read is not sent, and nothing is queued without a server', async (t) => {
  const mailbox = await startSmtpServer(t)
  await invite('changed@example.com')
  await db.admin.query(
    `update kernel.mail set recipient = 'thief@example.com' where recipient = 'changed@example.com'`,
  )
  const sending = sender(mailbox)
  await until(async () => (await rowOf('thief@example.com')).dead)
  await sending.close()
  t.equal(mailbox.mails.length, 0)
  const none = createMailOutbox(seal, false)
  const mail = { to: 'x@example.com', kind: 'has-account', language: 'en', facts: { name: 'X' } } as const
  await t.rejects(none.queue(tx, mail), { code: 'MAIL_NOT_CONFIGURED' })
  await none.notify(tx, mail)
  t.equal(await rowOf('x@example.com'), undefined)
})

// A kernel with mail, and people whose mailboxes can be read: what a person does with his account, and what an attacker
// tries with it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../kernel/src/config.ts'
import { type Reply, type Send, sender, type TestKernel, type TestParts, testKernel } from './kernel.ts'
import { type Mailbox, type ReceivedMail, startSmtpServer } from './smtp-server.ts'

export const password = 'a violin under the stairs'

export interface PeopleLab extends TestKernel {
  readonly mailbox: Mailbox
  /** The next mail to this address whose text matches, waited for. */
  mail(to: string, subject: RegExp): Promise<ReceivedMail>
  /** The token of the link in the newest mail to this address with such a subject. */
  link(to: string, subject: RegExp): Promise<string>
  /** A new person who has confirmed his address, signed in. */
  person(email?: string): Promise<{ email: string; token: string; send: Send }>
  signIn(email: string, given?: string, headers?: Readonly<Record<string, string>>): Promise<Reply>
  as(token: string, tenant?: string): Send
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

export async function peopleLab(
  t: Ending,
  overrides: Partial<Config> = {},
  parts: TestParts = {},
): Promise<PeopleLab> {
  const mailbox = await startSmtpServer(t)
  const kernel = await testKernel(
    t,
    {
      smtpUrl: mailbox.url,
      verifyEmail: 'required',
      publicUrl: 'https://erp.example',
      ...overrides,
    },
    parts,
  )
  const read = new Set<ReceivedMail>()

  async function mail(to: string, subject: RegExp): Promise<ReceivedMail> {
    for (let tries = 0; tries < 1_000; tries += 1) {
      const found = mailbox.to(to).find((one) => !read.has(one) && subject.test(one.subject))
      if (found) {
        read.add(found)
        return found
      }
      await sleep(10)
    }
    throw new Error(
      `no mail ${subject} to ${to}; there is ${mailbox.mails.map((m) => `${m.recipients}: ${m.subject}`)}`,
    )
  }

  async function link(to: string, subject: RegExp): Promise<string> {
    const { text } = await mail(to, subject)
    return /https:\/\/erp\.example\/#[a-z-]+=([A-Za-z0-9_-]+)\n/.exec(text)?.[1] ?? 'no link'
  }

  const as = (token: string, tenant?: string): Send =>
    sender(kernel.kernel, {
      authorization: `Bearer ${token}`,
      ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
    })
  const signIn: PeopleLab['signIn'] = (email, given = password, headers = {}) =>
    kernel.send('POST', '/v1/auth/sign-in/email', { email, password: given }, headers)

  return {
    ...kernel,
    mailbox,
    mail,
    link,
    as,
    signIn,
    async person(email = `${randomUUID()}@example.com`) {
      await kernel.send('POST', '/v1/auth/sign-up/email', { name: 'A Person', email, password })
      const token = await link(email, /Confirm your e-mail address/)
      await kernel.send('POST', '/v1/auth/email/confirm', { token })
      const { body } = await signIn(email)
      const session = String(body['token'])
      return { email, token: session, send: as(session) }
    },
  }
}

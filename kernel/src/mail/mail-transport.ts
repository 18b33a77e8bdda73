// How mail leaves: by SMTP, or, where there is a demo and no SMTP server, into the log, for a developer to follow its link.
import type { Transporter } from 'nodemailer'
import type { Logger } from 'pino'
import type { WrittenMail } from './write-mail.ts'

export interface OutgoingMail extends WrittenMail {
  /** The same in each attempt, so that a mailbox can tell a repetition. */
  readonly id: string
  readonly to: string
}

export interface MailTransport {
  /** Rejects when the mail was not taken. */
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

/** A server that says nothing for so long has not taken the mail. All together stay below the lease of a mail. */
const smtpTimeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 15_000 }

const isLoopback = (host: string) => ['localhost', '127.0.0.1', '[::1]'].includes(host)

export function smtpTransport(url: string, from: string): MailTransport {
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  const options = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    // A password or a link never goes over a network in the clear.
    requireTLS: !secure && !isLoopback(hostname),
    ignoreTLS: !secure && isLoopback(hostname),
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    ...smtpTimeouts,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
  let transport: Promise<Transporter> | undefined
  // Loaded for the first mail: a process that sends none starts the sooner.
  const open = async () => (await import('nodemailer')).createTransport(options)
  const domain = /@([^>\s]+)>?$/.exec(from)?.[1] ?? 'localhost'
  return {
    async send({ id, to, subject, text, html }) {
      transport ??= open()
      await (await transport).sendMail({
        // As an object: a list of addresses cannot be written into it.
        to: { name: '', address: to },
        from,
        subject,
        text,
        html,
        messageId: `<${id}@${domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
    },
    close: () => void transport?.then((one) => one.close()),
  }
}

export const logTransport = (log: Logger): MailTransport => ({
  async send({ to, subject, text }) {
    log.info({ mail: { to, subject, text } }, 'a mail, which no SMTP server is set for')
  },
  close: () => undefined,
})

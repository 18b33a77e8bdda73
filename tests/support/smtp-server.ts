// A real SMTP server on loopback, and the mails that it took.
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface ReceivedMail {
  readonly recipients: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Mailbox {
  readonly url: string
  readonly mails: readonly ReceivedMail[]
  to(address: string): readonly ReceivedMail[]
  /** Decides by recipient and attempt: 0 takes the mail, another number refuses it. */
  answer(decide: (to: string, attempt: number) => number): void
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

const words = (text: string): string =>
  text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, kind: string, coded: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(coded, 'base64').toString()
        : quoted(coded.replaceAll('_', ' ')),
    )

const quoted = (text: string): string =>
  Buffer.from(
    text
      .replace(/=\r?\n/g, '')
      .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()

function headersOf(text: string): Record<string, string> {
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), words(line.slice(colon + 1).trim())]
    }),
  )
}

function decoded(part: string): { type: string; body: string } {
  const end = part.indexOf('\r\n\r\n')
  const headers = headersOf(part.slice(0, end).trim())
  const raw = part.slice(end + 4)
  const encoding = headers['content-transfer-encoding'] ?? '7bit'
  const body =
    encoding === 'base64'
      ? Buffer.from(raw, 'base64').toString()
      : encoding === 'quoted-printable'
        ? quoted(raw)
        : raw
  return { type: headers['content-type'] ?? '', body: body.replaceAll('\r\n', '\n') }
}

function parse(message: string, recipients: readonly string[]): ReceivedMail {
  const end = message.indexOf('\r\n\r\n')
  const headers = headersOf(message.slice(0, end))
  const boundary = /boundary="([^"]+)"/.exec(headers['content-type'] ?? '')?.[1] ?? ''
  const parts = message
    .slice(end)
    .split(`--${boundary}`)
    .map((part) => decoded(part.replace(/^\r\n/, '')))
  const bodyOf = (type: string) => parts.find((part) => part.type.startsWith(type))?.body ?? ''
  return {
    recipients,
    headers,
    subject: headers['subject'] ?? '',
    text: bodyOf('text/plain'),
    html: bodyOf('text/html'),
  }
}

export async function startSmtpServer(t: Ending): Promise<Mailbox> {
  const mails: ReceivedMail[] = []
  const attempts = new Map<string, number>()
  let decide: (to: string, attempt: number) => number = () => 0
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _session, done) {
      const attempt = (attempts.get(address) ?? 0) + 1
      attempts.set(address, attempt)
      const code = decide(address, attempt)
      done(code === 0 ? undefined : Object.assign(new Error('not now'), { responseCode: code }))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const recipients = session.envelope.rcptTo.map(({ address }) => address)
        mails.push(parse(Buffer.concat(chunks).toString(), recipients))
        done()
      })
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    to: (address) => mails.filter(({ recipients }) => recipients.includes(address)),
    answer: (next) => {
      decide = next
    },
  }
}

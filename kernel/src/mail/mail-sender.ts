// Sends what is in the outbox. A process takes a mail by moving its next attempt into the future, for longer than an attempt
// may last: another process does not take it meanwhile, and when this one is killed the mail is tried again. So a mail is
// sent at least once, and twice only when a process dies between the server's yes and its own note of it.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Seal } from '../outside/seal.ts'
import { openMail } from './mail-outbox.ts'
import type { MailTransport } from './mail-transport.ts'

export interface MailSender {
  /** There may be something to send. */
  wake(): void
  /** Waits for the mail that is being sent. */
  close(): Promise<void>
}

export interface SendingLimits {
  /** Attempts before a mail is given up. */
  readonly attempts: number
  /** Before the second attempt; twice as long before each one after it. */
  readonly firstDelayMs: number
  readonly longestDelayMs: number
  /** How long a mail belongs to the process that took it. */
  readonly leaseMs: number
  /** How often it is looked for mail that another process left or that failed. */
  readonly pollMs: number
  /** Mails on their way at once, in one process. */
  readonly atOnce: number
}

export const sendingLimits: SendingLimits = {
  attempts: 10,
  firstDelayMs: 15_000,
  longestDelayMs: 3_600_000,
  leaseMs: 120_000,
  pollMs: 5_000,
  atOnce: 4,
}

interface MailRow {
  id: string
  kind: string
  recipient: string
  content: Buffer
  attempts: number
}

const take = `
  UPDATE kernel.mail SET attempts = attempts + 1, next_at = now() + $1 * interval '1 millisecond'
   WHERE id = (SELECT id FROM kernel.mail WHERE sent_at IS NULL AND dead_at IS NULL AND next_at <= now()
                ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, kind, recipient, content, attempts`

/** Refused for good: the address does not exist, or takes nothing from us. A login that fails may be set right. */
function isRefusedForGood(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error) || !('code' in error)) return false
  return error.code === 'EENVELOPE' && Number(error.responseCode) >= 500
}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 500)

export function startMailSender(
  parts: {
    readonly pool: pg.Pool
    readonly transport: MailTransport
    readonly seal: Seal
    readonly log: Logger
  },
  limits: SendingLimits = sendingLimits,
): MailSender {
  const { pool, transport, seal, log } = parts
  const running = new Set<Promise<void>>()
  let closed = false
  let isAsked = false

  async function failed(mail: MailRow, error: unknown): Promise<void> {
    const isDead = mail.attempts >= limits.attempts || isRefusedForGood(error)
    const delay = Math.min(limits.firstDelayMs * 2 ** (mail.attempts - 1), limits.longestDelayMs)
    await pool.query(
      `UPDATE kernel.mail SET last_error = $2, next_at = now() + $3 * interval '1 millisecond',
              dead_at = CASE WHEN $4 THEN now() END, content = CASE WHEN $4 THEN NULL ELSE content END
        WHERE id = $1`,
      [mail.id, reasonOf(error), delay, isDead],
    )
    const told = { mail: mail.id, kind: mail.kind, attempt: mail.attempts, reason: reasonOf(error) }
    if (isDead) log.error(told, 'a mail was given up')
    else log.warn(told, 'a mail was not sent and is tried again')
  }

  /** False when there is nothing to send. */
  async function sendNext(): Promise<boolean> {
    const { rows } = await pool.query<MailRow>(take, [limits.leaseMs])
    const [mail] = rows
    if (!mail) return false
    try {
      const { id, recipient } = mail
      await transport.send({ id, to: recipient, ...openMail(seal, id, recipient, mail.content) })
    } catch (error) {
      await failed(mail, error)
      return true
    }
    await pool.query(
      'UPDATE kernel.mail SET sent_at = now(), content = NULL, last_error = NULL WHERE id = $1',
      [mail.id],
    )
    return true
  }

  async function work(): Promise<void> {
    while (!closed && (await sendNext()));
  }

  function wake(): void {
    if (closed) return
    if (running.size >= limits.atOnce) {
      isAsked = true
      return
    }
    const one: Promise<void> = work()
      .catch((error: unknown) => log.warn({ err: error }, 'the outbox of mail could not be read'))
      .finally(() => {
        running.delete(one)
        if (!isAsked) return
        isAsked = false
        wake()
      })
    running.add(one)
  }

  // What failed, and what a process left that was killed, is told by nobody.
  const poll = setInterval(wake, limits.pollMs)
  poll.unref()
  return {
    wake,
    async close() {
      closed = true
      clearInterval(poll)
      await Promise.all(running)
      transport.close()
    },
  }
}

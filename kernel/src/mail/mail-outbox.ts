// Mail that is to be sent, as rows beside what it tells of: they commit together or not at all. The content is sealed, for
// whoever reads a link may use it.
import { randomUUIDv7 } from 'node:crypto'
import { errors } from '../errors.ts'
import type { Seal } from '../outside/seal.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import type { Language } from './languages.ts'
import type { MailFacts, MailKind } from './mail-texts.ts'
import { type WrittenMail, writeMail } from './write-mail.ts'

export interface NewMail<Kind extends MailKind> {
  readonly to: string
  readonly kind: Kind
  readonly language: Language
  readonly facts: MailFacts[Kind]
  readonly link?: string
  readonly tenantId?: string
}

export interface MailOutbox {
  readonly isConfigured: boolean
  /** @throws MAIL_NOT_CONFIGURED */
  requireMail(): void
  /**
   * Queues the mail in the caller's transaction.
   * @throws MAIL_NOT_CONFIGURED
   */
  queue<Kind extends MailKind>(tx: Pick<ControlTransaction, 'query'>, mail: NewMail<Kind>): Promise<void>
  /** The same for what is good to know and not needed: without a mail server it is left out. */
  notify<Kind extends MailKind>(tx: Pick<ControlTransaction, 'query'>, mail: NewMail<Kind>): Promise<void>
}

/** Where a sealed mail belongs: it opens for no other mail and no other reader. */
const placeOf = (id: string, recipient: string) => ['', 'kernel mail', id, recipient] as const

export const openMail = (seal: Seal, id: string, recipient: string, content: Buffer): WrittenMail =>
  // What `queue` sealed.
  JSON.parse(seal.open(content, placeOf(id, recipient))) as WrittenMail

export function createMailOutbox(seal: Seal, isConfigured: boolean): MailOutbox {
  function requireMail(): void {
    if (!isConfigured) throw errors.mailNotConfigured({})
  }
  const queue: MailOutbox['queue'] = async (tx, { to, kind, language, facts, link, tenantId }) => {
    requireMail()
    const id = randomUUIDv7()
    const content = seal.close(JSON.stringify(writeMail(language, kind, facts, link)), placeOf(id, to))
    await tx.query(
      'INSERT INTO kernel.mail (id, tenant_id, kind, recipient, content) VALUES ($1, $2, $3, $4, $5)',
      [id, tenantId ?? null, kind, to, content],
    )
  }
  return {
    isConfigured,
    requireMail,
    queue,
    notify: async (tx, mail) => (isConfigured ? queue(tx, mail) : undefined),
  }
}

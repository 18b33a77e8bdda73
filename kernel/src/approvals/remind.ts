// Reminds those for whom an approval has been waiting as long as its step says, again and again until somebody decides.
// Several processes may do it at once: whoever has the row sends the mails, writes it down and sets the next time, all in
// one transaction.
import type { Logger } from 'pino'
import type { Language } from '../mail/languages.ts'
import type { MailOutbox } from '../mail/mail-outbox.ts'
import type { Tenant } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { Approvers, AskOrganisation } from './approvers.ts'
import type { OpenStep } from './judge-step.ts'

export interface ReminderParts {
  readonly runControl: RunControl
  readonly approvers: Approvers
  readonly outbox: Pick<MailOutbox, 'notify'>
  readonly log: Logger
  findTenant(id: string): Promise<Tenant | undefined>
  askOrganisation(tenant: Tenant, requestId: string): AskOrganisation
  languageOf(locale: string | undefined): Language
}

/** Of one round; the others come with the next. */
const mostAtOnce = 100

interface DueRow {
  tenant_id: string
  id: string
  step: number
  steps: OpenStep[]
  waiting: string[]
  requested_by: string
}

interface Reader {
  readonly email: string
  readonly name: string
  readonly language: string
}

/** How many were reminded of. */
export async function remindDue(parts: ReminderParts): Promise<number> {
  const due = await parts.runControl((tx) =>
    tx.query<{ tenant_id: string; id: string }>(
      `SELECT tenant_id, id FROM kernel.approval WHERE state = 'open' AND remind_at <= now()
        ORDER BY remind_at LIMIT ${mostAtOnce}`,
      [],
    ),
  )
  let reminded = 0
  for (const { tenant_id: tenant, id } of due) {
    try {
      if (await parts.runControl((tx) => remindOf(parts, tx, tenant, id))) reminded += 1
    } catch (error) {
      // Others must not wait for what this one fails at, such as a module that is not there at the moment.
      parts.log.warn({ err: error, tenant, approval: id }, 'nobody could be reminded of an approval')
    }
  }
  return reminded
}

/** False when another process has just done it, or somebody has decided. */
async function remindOf(
  parts: ReminderParts,
  tx: ControlTransaction,
  tenantId: string,
  id: string,
): Promise<boolean> {
  const [row] = await tx.query<DueRow>(
    `SELECT tenant_id, id, step, steps, waiting, requested_by FROM kernel.approval
      WHERE tenant_id = $1 AND id = $2 AND state = 'open' AND remind_at <= now() FOR UPDATE SKIP LOCKED`,
    [tenantId, id],
  )
  const tenant = row && (await parts.findTenant(tenantId))
  const step = row?.steps[row.step]
  if (!row || !tenant || !step) return false
  const requester = await readersOf(tx, [row.requested_by])
  const facts = { tenant: tenant.name, step: step.title, requester: requester[0]?.name ?? '' }
  for (const { email, name, language } of await readersOf(tx, await whoWaits(parts, tx, tenant, row))) {
    await parts.outbox.notify(tx, {
      to: email,
      kind: 'approval-waiting',
      language: parts.languageOf(language),
      facts: { ...facts, name },
      tenantId,
    })
  }
  await tx.query(
    `INSERT INTO kernel.approval_event (tenant_id, approval_id, seq, actor, what, step)
     SELECT $1, $2, 1 + coalesce(max(seq), 0), 'kernel', 'reminded', $3
       FROM kernel.approval_event WHERE tenant_id = $1 AND approval_id = $2`,
    [tenantId, id, row.step],
  )
  await tx.query(
    `UPDATE kernel.approval SET remind_at = now() + make_interval(hours => $3::int) WHERE tenant_id = $1 AND id = $2`,
    [tenantId, id, step.remindAfterHours ?? null],
  )
  return true
}

/** Who could decide now, and who stands in for one of them; not who asked, nor who has agreed already. */
async function whoWaits(
  { approvers, askOrganisation }: ReminderParts,
  tx: ControlTransaction,
  tenant: Tenant,
  row: DueRow,
): Promise<readonly string[]> {
  const agreed = await tx.query<{ actor: string; stands_for: string | null }>(
    `SELECT actor, stands_for FROM kernel.approval_event
      WHERE tenant_id = $1 AND approval_id = $2 AND step = $3 AND what = 'approved'`,
    [tenant.id, row.id, row.step],
  )
  const left = new Set([row.requested_by, ...agreed.flatMap((one) => [one.actor, one.stands_for ?? ''])])
  const behind = await approvers.peopleBehind(tenant, row.waiting, askOrganisation(tenant, 'reminders'))
  const people = behind.filter((person) => !left.has(person))
  const substitutes = await approvers.substitutesOf(tenant, people)
  return [...new Set([...people, ...substitutes])].filter((person) => !left.has(person))
}

const readersOf = (tx: ControlTransaction, people: readonly string[]) =>
  tx.query<Reader & { id: string }>(
    `SELECT u.email, u.name, coalesce(p.language, 'en') AS language
       FROM identity."user" u LEFT JOIN identity.person p ON p.user_id = u.id WHERE u.id = ANY ($1) ORDER BY u.id`,
    [people],
  )

// Who may do what on the kernel's own tables, on one page. Applied at every start; what is not here is not allowed.
// Plugin roles get nothing but EXECUTE on kernel.tenant_id() (see plugin-migrations/).
import type pg from 'pg'
import { quoteName } from '../sql-names.ts'
import { loginName } from './login-roles.ts'

const change = 'select, insert, update, delete'

/** Not when it was written and in which turn: the database says that, and nobody else. */
const insertAudit =
  'insert (tenant_id, actor, on_behalf_of, via, request_id, trace_id, address, agent, module, entity, record_id, action, before, after)'
const insertSeal = 'insert (tenant_id, seq, from_turn, to_turn, rows, first_at, last_at, previous, hash)'

/** By table: rights of the kernel login, rights of the data login. */
const grants: Readonly<Record<string, { readonly kernel?: string; readonly data?: string }>> = {
  'kernel.installation': { kernel: 'select' },
  'kernel.migration': { kernel: 'select' },
  'kernel.plugin_migration': { kernel: 'select' },
  'kernel.plugin_migration_step': { kernel: 'select' },
  // A tenant's backfill and the note that it is done commit together, on the data login.
  'kernel.plugin_backfill': { kernel: 'select', data: 'insert' },
  'kernel.tenant': { kernel: change },
  'kernel.membership': { kernel: change },
  'kernel.default_tenant': { kernel: change },
  'kernel.tenant_domain': { kernel: change },
  'kernel.tenant_erasure': { kernel: 'select, insert, update' },
  // What went and how much of it commit together, on the data login.
  'kernel.tenant_erasure_part': { kernel: 'select, delete', data: 'insert' },
  'kernel.role': { kernel: change },
  'kernel.member_role': { kernel: change },
  'kernel.delegation': { kernel: change },
  'kernel.duty': { kernel: change },
  'kernel.tenant_module': { kernel: change },
  'kernel.module_setting': { kernel: change },
  'kernel.plugin': { kernel: change },
  'kernel.plugin_version': { kernel: change },
  'kernel.plugin_operation': { kernel: change },
  'kernel.canary_count': { kernel: change },
  'kernel.module_consent': { kernel: change },
  'kernel.module_secret': { kernel: change },
  'kernel.service_account': { kernel: change },
  'kernel.api_key': { kernel: change },
  'kernel.sso_connection': { kernel: change },
  'kernel.sso_domain': { kernel: change },
  'kernel.sso_link': { kernel: change },
  'kernel.scim_user': { kernel: change },
  // The price book is data of the release: it changes by migration.
  'kernel.catalogue_module': { kernel: 'select' },
  'kernel.plan': { kernel: 'select' },
  'kernel.plan_module': { kernel: 'select' },
  'kernel.limit_override': { kernel: change },
  'kernel.usage': { kernel: change },
  // Append-only for everybody: nobody has UPDATE, DELETE or TRUNCATE.
  'kernel.audit': { kernel: `select, ${insertAudit}`, data: insertAudit },
  'kernel.audit_seal': { kernel: `select, ${insertSeal}` },
  'kernel.audit_checkpoint': {
    kernel: 'select, insert (tenant_id, seq, to_turn, hash, purged_rows, mac)',
  },
  // Who writes here in a transaction of a module may not read what others wrote.
  'kernel.idempotent_request': { kernel: 'select, insert, delete', data: 'insert' },
  'kernel.idempotent_answer': { kernel: 'select, insert, delete', data: 'insert' },
  'kernel.rate_count': { kernel: change },
  'kernel.tenant_cors': { kernel: change },
  'kernel.outbox': { kernel: 'select, update, delete', data: 'insert' },
  // A unit of work enqueues jobs, and notes of the task it does that it is done.
  'kernel.task': {
    kernel: change,
    data: 'select, insert, update (state, ended_at, lease_until, result, error)',
  },
  'kernel.task_pause': { kernel: change },
  'kernel.job_schedule': { kernel: change },
  'kernel.module_absence': { kernel: change },
  'kernel.approval_chain': { kernel: change },
  'kernel.absence': { kernel: change },
  // Decided in the transaction of the action that waits for it; row level security keeps it to the unit's tenant.
  'kernel.approval': {
    kernel: 'select, update (remind_at)',
    data: 'select, insert, update (step, waiting, state, step_since, remind_at, ended_at)',
  },
  // Append-only for everybody, as the audit trail is.
  'kernel.approval_event': { kernel: 'select, insert', data: 'select, insert' },
  'identity."user"': { kernel: change },
  'identity.session': { kernel: change },
  'identity.account': { kernel: change },
  'identity.verification': { kernel: change },
  'identity.signing_key': { kernel: change },
  'identity.refresh_family': { kernel: change },
  'identity.session_tenant': { kernel: change },
  'identity.sso_flow': { kernel: change },
  'identity.sso_ticket': { kernel: change },
  'kernel.mail': { kernel: change },
  'kernel.invitation': { kernel: change },
  'kernel.inactive_member': { kernel: change },
  'identity.person': { kernel: change },
  'identity.link': { kernel: change },
  'identity.throttle': { kernel: change },
  'identity.event': { kernel: 'select, insert' },
  'identity."twoFactor"': { kernel: change },
  'identity.used_code': { kernel: change },
  'identity.passkey': { kernel: change },
  'identity.passkey_challenge': { kernel: change },
}

/** Run as the owner login. */
export async function grantKernelTables(owner: pg.Client, rolePrefix: string): Promise<void> {
  const kernel = quoteName(loginName(rolePrefix, 'kernel'))
  const data = quoteName(loginName(rolePrefix, 'data'))
  const statements = [
    'begin',
    // Functions are open to everybody unless somebody says otherwise.
    'alter default privileges revoke execute on functions from public',
    'revoke all on all functions in schema kernel, identity from public',
    'revoke all on schema kernel, identity from public',
    `revoke all on all tables in schema kernel, identity from public, ${kernel}, ${data}`,
    `grant usage on schema kernel to ${kernel}, ${data}`,
    `grant usage on schema identity to ${kernel}`,
    `grant execute on function kernel.tenant_id() to ${kernel}, ${data}`,
    `grant usage on sequence kernel.outbox_position to ${kernel}`,
    `grant execute on function kernel.audit_offset() to ${kernel}, ${data}`,
    `grant execute on function kernel.claim_tasks, kernel.claim_jobs to ${kernel}`,
    // It deletes what a plan no longer keeps, and refuses anything else.
    `grant execute on function kernel.purge_audit(uuid, bigint) to ${kernel}`,
    ...Object.entries(grants).flatMap(([table, rights]) => [
      ...(rights.kernel ? [`grant ${rights.kernel} on ${table} to ${kernel}`] : []),
      ...(rights.data ? [`grant ${rights.data} on ${table} to ${data}`] : []),
    ]),
    'commit',
  ]
  // One text, one round trip; all or nothing, so a running kernel never sees a moment without its rights.
  await owner.query(statements.join(';\n'))
}

// Before a tenant's rows are looked at: what its own requests have left to do is done, so that from there on nobody but a hunter
// could change them.
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

const pollMs = 20
const deadlineMs = 10_000

/** What cannot be done now, for its module is off or its tenant is closing, is not waited for: it changes nothing either. */
const left = `
  select exists (select from kernel.outbox where tenant_id = $1 and dispatched_at is null)
      or exists (
        select from kernel.task k join kernel.tenant_module m on m.tenant_id = k.tenant_id and m.module = k.module
         where k.tenant_id = $1 and k.kind <> 'webhook'
           and (k.state = 'running' or (k.state = 'waiting' and k.run_at <= now()))) as any`

export async function workDone(admin: Pick<pg.Client, 'query'>, tenant: string): Promise<void> {
  for (const deadline = Date.now() + deadlineMs; Date.now() < deadline; await sleep(pollMs)) {
    const { rows } = await admin.query<{ any: boolean }>(left, [tenant])
    if (!rows[0]?.any) return
  }
}

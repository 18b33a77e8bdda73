// What every change of who may do what leaves behind: its audit row, and the word to all processes.
import { auditedBy } from '../audit/write-audit.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'

export async function recordAccess(
  tx: ControlTransaction,
  by: Located,
  entity: 'role' | 'member_role' | 'duty' | 'delegation',
  recordId: string,
  action: string,
  change: { before?: object; after?: object },
): Promise<void> {
  await tx.audit({ tenantId: by.tenant.id, ...auditedBy(by), entity, recordId, action, ...change })
  await tx.announce({ kind: 'access', id: by.tenant.id })
}

// Separation of duties, as a tenant wishes it: pairs of permissions, and who has both already.

import { randomUUIDv7 } from 'node:crypto'
import type { Manifest } from '@plinth/sdk'
import { errors, type FieldError } from '../errors.ts'
import type { Located, MembershipRole } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { permissionCatalogue } from './check-rules.ts'
import { conflictsOf, type Duty, dutiesOf, heldPermissions } from './duty-conflicts.ts'
import { lockAccess } from './lock-access.ts'
import { readGrants } from './read-grants.ts'
import { recordAccess } from './record-access.ts'
import { unasked } from './scope-source.ts'

const mostDuties = 200

function checkDuty(manifests: readonly Manifest[], { first, second, within }: Omit<Duty, 'id'>): void {
  const names = permissionCatalogue(manifests)
  const problems: FieldError[] = Object.entries({ first, second }).flatMap(([field, name]) =>
    names.includes(name)
      ? []
      : [
          {
            field,
            code: 'UNKNOWN_PERMISSION',
            message: 'is no permission of the tenant or of a module it has enabled.',
          },
        ],
  )
  const entityOf = (name: string) => name.slice(0, name.lastIndexOf('.'))
  if (first === second)
    problems.push({ field: 'second', code: 'SAME', message: 'must be another permission than first.' })
  const isOnRecords = manifests.some(({ name, entities }) =>
    Object.keys(entities).some((entity) => `${name}.${entity}` === entityOf(first)),
  )
  if (within === 'record' && problems.length === 0 && (entityOf(first) !== entityOf(second) || !isOnRecords))
    problems.push({ field: 'second', code: 'OTHER_ENTITY', message: 'must be of the same entity as first.' })
  // Who reads leaves no trace on the record.
  for (const [field, name] of Object.entries({ first, second }))
    if (within === 'record' && name.endsWith('.read'))
      problems.push({
        field,
        code: 'NOT_RECORDED',
        message: 'is not recorded, and cannot be kept apart on a record.',
      })
  if (problems.length > 0) throw errors.validation({ errors: problems })
}

/** Who has both already keeps them: the report says so. */
export async function createDuty(
  runControl: RunControl,
  manifests: readonly Manifest[],
  by: Located,
  input: Omit<Duty, 'id'>,
): Promise<Duty> {
  checkDuty(manifests, input)
  return runControl(async (tx) => {
    await lockAccess(tx, by, 'tenant.duties.manage')
    const known = await dutiesOf(tx, by.tenant.id)
    const pair = (duty: Omit<Duty, 'id'>) => [duty.within, ...[duty.first, duty.second].sort()].join(' ')
    if (known.some((duty) => pair(duty) === pair(input)))
      throw errors.recordConflict({ entity: 'duty', fields: ['first', 'second'] })
    if (known.length >= mostDuties) throw errors.tooMany({ what: 'duties', most: mostDuties })
    const { title, first, second, within } = input
    const duty: Duty = { id: randomUUIDv7(), title, first, second, within }
    await tx.query(
      `INSERT INTO kernel.duty (tenant_id, id, title, first, second, within, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [by.tenant.id, duty.id, title, first, second, within, by.actor.id],
    )
    await recordAccess(tx, by, 'duty', duty.id, 'created', { after: duty })
    return duty
  })
}

export async function deleteDuty(runControl: RunControl, by: Located, id: string): Promise<void> {
  await runControl(async (tx) => {
    await lockAccess(tx, by, 'tenant.duties.manage')
    const before = (await dutiesOf(tx, by.tenant.id)).find((duty) => duty.id === id)
    if (!before) throw errors.recordNotFound({ entity: 'duty', id })
    await tx.query('DELETE FROM kernel.duty WHERE tenant_id = $1 AND id = $2', [by.tenant.id, id])
    await recordAccess(tx, by, 'duty', id, 'removed', { before })
  })
}

export interface DutyReportLine {
  readonly userId: string
  readonly role: MembershipRole
  readonly conflicts: readonly Duty[]
}

/** Of one page of members, those who hold both of a pair. */
export async function reportDuties(
  runControl: RunControl,
  manifests: readonly Manifest[],
  tenantId: string,
  { limit, cursor = '' }: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: DutyReportLine[]; cursor?: string }> {
  return runControl(async (tx) => {
    const duties = await dutiesOf(tx, tenantId)
    const members = await tx.query<{ user_id: string; role: MembershipRole }>(
      'SELECT user_id, role FROM kernel.membership WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3',
      [tenantId, cursor, limit + 1],
    )
    const items: DutyReportLine[] = []
    for (const { user_id: userId, role } of members.slice(0, limit)) {
      const grants = await readGrants(tx.query, unasked, tenantId, userId, role)
      const conflicts = conflictsOf(duties, heldPermissions(manifests, grants))
      if (conflicts.length > 0) items.push({ userId, role, conflicts })
    }
    const last = members[limit - 1]
    return members.length > limit && last ? { items, cursor: last.user_id } : { items }
  })
}

// /v1/tenant/absences: who stands in for whom, from one day to another. Who stands in decides on approvals as the other.
import { randomUUIDv7 } from 'node:crypto'
import { auditedBy } from '../audit/write-audit.ts'
import { errors, type FieldError } from '../errors.ts'
import { requirePerson, requireTenantPermission, requireUncut } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { type AbsenceBody, absenceBody, absenceQuery, absenceShape } from './approval-schemas.ts'
import type { Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { idParams } from './record-schemas.ts'
import { listOf, type PageQuery, problemResponses, tenantHeader } from './schemas.ts'

interface AbsenceRow {
  id: string
  person: string
  substitute: string
  from: string
  to: string
  created_at: Date
  created_by: string
}

const columns = `id, person, substitute, first_day::text AS "from", last_day::text AS "to", created_at, created_by`
const view = ({ created_at, created_by, ...row }: AbsenceRow) => ({
  ...row,
  createdAt: created_at.toISOString(),
  createdBy: created_by,
})

async function checkPeople(tx: ControlTransaction, { tenant }: Located, people: Record<string, string>) {
  const found = await tx.query<{ user_id: string }>(
    `SELECT m.user_id FROM kernel.membership m JOIN identity."user" u ON u.id = m.user_id
      WHERE m.tenant_id = $1 AND m.user_id = ANY ($2)`,
    [tenant.id, Object.values(people)],
  )
  const wrong = Object.entries(people).flatMap(([field, id]): FieldError[] =>
    found.some(({ user_id }) => user_id === id)
      ? []
      : [{ field, code: 'UNKNOWN_USER', message: 'There is no such person in the tenant.' }],
  )
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
}

const wrongField = (field: string, message: string) =>
  errors.validation({ errors: [{ field, code: 'INVALID', message }] })

export function absenceRoutes(app: Instance, ladder: Ladder, runControl: RunControl): void {
  const common = { tags: ['Approvals'], headers: tenantHeader }
  const url = '/v1/tenant/absences'

  /** Lending one's decisions is one's own affair; for another it takes who manages approvals. */
  function mayArrange(stage: Located, person: string): void {
    requireUncut(stage)
    requirePerson(stage)
    if (person !== stage.actor.id) requireTenantPermission(stage, 'tenant.approvals.manage')
  }

  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'Who stands in for whom, newest first',
      querystring: absenceQuery,
      response: { 200: listOf(absenceShape), ...problemResponses },
    },
    ...atRung(ladder.reading('tenant.absences.read'), async ({ tenant }, request) => {
      const { limit: text, cursor } = request.query as PageQuery
      const limit = Number(text ?? 50)
      const rows = await runControl((tx) =>
        tx.query<AbsenceRow>(
          `SELECT ${columns} FROM kernel.absence
            WHERE tenant_id = $1 AND ($2 = '' OR id::text < $2) ORDER BY id DESC LIMIT $3`,
          [tenant.id, cursor ?? '', limit + 1],
        ),
      )
      const items = rows.slice(0, limit).map(view)
      const last = items.at(-1)
      return rows.length > limit && last ? { items, cursor: last.id } : { items }
    }),
  })
  app.route({
    method: 'POST',
    url,
    schema: {
      ...common,
      summary: 'Name who stands in for me, or for another',
      body: absenceBody,
      response: { 201: absenceShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      const { person = stage.actor.id, substitute, from, to } = request.body as AbsenceBody
      mayArrange(stage, person)
      if (to < from) throw wrongField('to', 'It would end before it begins.')
      if (person === substitute) throw wrongField('substitute', 'Nobody stands in for himself.')
      const add = async (tx: ControlTransaction) => {
        await checkPeople(tx, stage, { person, substitute })
        const [row] = await tx.query<AbsenceRow>(
          `INSERT INTO kernel.absence (tenant_id, id, person, substitute, first_day, last_day, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${columns}`,
          [stage.tenant.id, randomUUIDv7(), person, substitute, from, to, stage.actor.id],
        )
        if (!row) throw errors.internal({})
        const after = view(row)
        await tx.audit({
          ...auditedBy(stage),
          tenantId: stage.tenant.id,
          entity: 'absence',
          recordId: row.id,
          action: 'created',
          after,
        })
        return after
      }
      return keep(
        (run) => run(add),
        (body: object) => ({ status: 201, location: url, body }),
      )
    }),
  })
  app.route({
    method: 'DELETE',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'End a substitution',
      params: idParams,
      response: { 204: { description: 'Ended.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { id } = request.params as { id: string }
      await runControl(async (tx) => {
        const [row] = await tx.query<AbsenceRow>(
          `SELECT ${columns} FROM kernel.absence WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
          [stage.tenant.id, id],
        )
        if (!row) throw errors.recordNotFound({ entity: 'absence', id })
        mayArrange(stage, row.person)
        await tx.query('DELETE FROM kernel.absence WHERE tenant_id = $1 AND id = $2', [stage.tenant.id, id])
        await tx.audit({
          ...auditedBy(stage),
          tenantId: stage.tenant.id,
          entity: 'absence',
          recordId: id,
          action: 'deleted',
          before: view(row),
        })
      })
      return reply.code(204).send()
    }),
  })
}

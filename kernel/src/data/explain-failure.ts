// What a refusal of the database means for the record that was being written: which field refers to nothing, which
// value exists already. Asks the database only after it has refused.
import type { Json } from '@plinth/sdk'
import { errors, type FieldError } from '../errors.ts'
import type { DatabaseFailure } from './database-failure.ts'
import type { Values } from './field-kinds/parse-fields.ts'
import { entityTable, quoteName } from './sql-names.ts'
import { prepared, type Reader } from './statement.ts'
import {
  type EntityTable,
  type FieldColumns,
  fieldsOfConstraint,
  type LinesTable,
} from './table-for-entity.ts'
import { touchedNone } from './touching-one.ts'
import type { Explain } from './unit-of-work.ts'

const foreignKey = '23503'
/** What PostgreSQL 18 says instead when the key is ON DELETE RESTRICT. */
const restricted = '23001'
const unique = '23505'

export const explainWrite =
  (table: EntityTable, values: Values): Explain =>
  async (failure, reader) => {
    if (touchedNone(failure)) return errors.writeConflict({}, failure)
    const about = failure.constraint === undefined ? undefined : fieldsOfConstraint(table, failure.constraint)
    if (!about) return failure
    const { lines, field } = about
    if (failure.code === unique) {
      const name = lines ? `${lines.name}.${field.name}` : field.name
      return errors.recordConflict({ entity: table.entity, fields: [name] }, failure)
    }
    if (failure.code !== foreignKey) return failure
    const missing = await missingReferences(table, lines, field, values, reader)
    // There by now: somebody made it a moment too late.
    return missing.length === 0
      ? errors.writeConflict({}, failure)
      : errors.validation({ errors: missing }, failure)
  }

export const explainDelete =
  (table: EntityTable, id: string): Explain =>
  (failure: DatabaseFailure) => {
    if (touchedNone(failure)) return errors.writeConflict({}, failure)
    return failure.code === foreignKey || failure.code === restricted
      ? errors.recordInUse({ entity: table.entity, id }, failure)
      : failure
  }

async function missingReferences(
  table: EntityTable,
  lines: LinesTable | undefined,
  field: FieldColumns,
  values: Values,
  reader: Reader,
): Promise<FieldError[]> {
  const given = referencesIn(lines, field, values)
  const entity = field.spec.entity ?? ''
  const existing = prepared(
    `SELECT id FROM ${quoteName(table.schema)}.${quoteName(entityTable(entity))} WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
  )
  const ids = given.map(({ id }) => id)
  const { rows } = await reader.query(table.role, existing([reader.tenant, ids]))
  const found = new Set(rows.map(([id]) => id))
  return given
    .filter(({ id }) => !found.has(id))
    .map(({ path, id }) => ({
      field: path,
      code: 'REFERENCE_NOT_FOUND',
      message: `there is no ${entity} '${id}'.`,
    }))
}

function referencesIn(
  lines: LinesTable | undefined,
  field: FieldColumns,
  values: Values,
): { readonly path: string; readonly id: string }[] {
  if (!lines) return referenceAt(field.name, values[field.name])
  const rows = values[lines.name]
  if (!Array.isArray(rows)) return []
  return rows.flatMap((row: Values, index) =>
    referenceAt(`${lines.name}.${index}.${field.name}`, row[field.name]),
  )
}

const referenceAt = (path: string, id: Json | undefined) => (typeof id === 'string' ? [{ path, id }] : [])

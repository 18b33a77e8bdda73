// Gapless numbers: `JE-2026-00001`. A number is taken by locking its series until the unit ends, so one that was
// rolled back is given out again and nobody can be given one out of turn.
import type { FieldSpec, Json } from '@plinth/sdk'
import type { Values } from './field-kinds/parse-fields.ts'
import { quoteName } from './sql-names.ts'
import { prepared } from './statement.ts'
import type { EntityTable, FieldColumns } from './table-for-entity.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** What stands in the pattern for a number of `{year}`: the year of `day`. */
const periodOf = (spec: FieldSpec, day: string): string =>
  spec.pattern?.includes('{year}') ? day.slice(0, 4) : ''

/**
 * The numbers that are due for a record with `values`; one that it already has it keeps. The series' date field
 * decides the year, or `now` where there is none; numbers of each year start at 1.
 */
export async function takeDueNumbers(
  unit: UnitOfWork,
  table: EntityTable,
  values: Values,
  isDue: (spec: FieldSpec) => boolean,
  now: string,
): Promise<Record<string, Json>> {
  const numbers: Record<string, Json> = {}
  for (const field of table.sequences) {
    if (!isDue(field.spec) || typeof values[field.name] === 'string') continue
    const day = field.spec.dateField === undefined ? undefined : values[field.spec.dateField]
    numbers[field.name] = await takeNumber(unit, table, field, typeof day === 'string' ? day : now)
  }
  return numbers
}

async function takeNumber(
  unit: UnitOfWork,
  table: EntityTable,
  field: FieldColumns,
  day: string,
): Promise<string> {
  const period = periodOf(field.spec, day)
  const next = prepared(
    `INSERT INTO ${quoteName(table.schema)}.number_series AS s (tenant_id, series, period, last) VALUES ($1, $2, $3, 1)
     ON CONFLICT (tenant_id, series, period) DO UPDATE SET last = s.last + 1 RETURNING last`,
  )
  const series = `${table.entity}.${field.name}`
  const { rows } = await unit.query(table.role, next([unit.tenant, series, period]))
  const number = rows[0]?.[0]
  if (typeof number !== 'number') throw new Error(`the series ${series} gave no number`)
  return formatNumber(field.spec.pattern ?? '{0}', period, number)
}

/** `JE-{year}-{00000}` with 2026 and 42 is JE-2026-00042; a number with more digits is written in full. */
export const formatNumber = (pattern: string, year: string, number: number): string =>
  pattern
    .replaceAll('{year}', year)
    .replace(/\{(0+)\}/, (_, zeros: string) => String(number).padStart(zeros.length, '0'))

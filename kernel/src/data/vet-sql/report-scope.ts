// What a plugin's reports may name: the tables of its entities and of their lines, with the columns the DDL gives
// them. The tenant and the number series are not in it: row-level security alone deals with tenants.

import type { EntitySpec, FieldSpec } from '@plinth/sdk'
import { baseColumns, columnsForField, positionColumn } from '../field-kinds/columns.ts'
import { entityTable, linesTable, parentColumn, pluginSchema } from '../sql-names.ts'
import type { SqlScope } from '../vet-sql.ts'

export function reportScope(
  plugin: string,
  entities: Readonly<Record<string, Pick<EntitySpec, 'fields'>>>,
  maxRows: number,
): SqlScope {
  const tables: Record<string, readonly string[]> = {}
  for (const [entity, { fields }] of Object.entries(entities)) {
    const own = baseColumns.map(({ name }) => name).filter((name) => name !== 'tenant_id')
    tables[entityTable(entity)] = [...own, ...columnNames(fields)]
    for (const [field, spec] of Object.entries(fields)) {
      if (spec.kind !== 'lines') continue
      const line = [parentColumn(entity), positionColumn.name, ...columnNames(spec.fields ?? {})]
      tables[linesTable(entity, field)] = line
    }
  }
  return { schema: pluginSchema(plugin), tables, maxRows }
}

const columnNames = (fields: Readonly<Record<string, FieldSpec>>): string[] =>
  Object.entries(fields).flatMap(([name, spec]) => columnsForField(name, spec).map((column) => column.name))

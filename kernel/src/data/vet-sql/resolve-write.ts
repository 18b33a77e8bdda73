// Second pass of the vetting for INSERT, UPDATE and DELETE: what names refer to, as for a report, and which columns
// may be set. The kernel's own columns are added here, so that a record written by SQL keeps its promises.
import type {
  DeleteStmt,
  InsertStmt,
  Node,
  OnConflictClause,
  RangeVar,
  SelectStmt,
  UpdateStmt,
} from 'libpg-query'
import { refusal } from './check-nodes.ts'
import { kernelValue } from './kernel-columns.ts'
import {
  type Ctes,
  type FromItem,
  type NamedTables,
  type Names,
  namesIn,
  tableItem,
  visitExpression,
  visitFrom,
  visitSelect,
  visitWith,
} from './resolve-names.ts'
import type { WritableTable } from './write-scope.ts'

export interface WriteScope extends NamedTables {
  readonly writable: Readonly<Record<string, WritableTable>>
}

export interface WriteOptions {
  /** Number of the parameter that carries the actor. */
  readonly actor: number
  /** A migration's own UPDATE: no new version, and records that no longer change are changed too. */
  readonly backfill?: true
}

export type WriteStatement =
  | { InsertStmt: InsertStmt }
  | { UpdateStmt: UpdateStmt }
  | { DeleteStmt: DeleteStmt }

interface Writing {
  readonly names: Names
  readonly table: WritableTable
  readonly target: FromItem
  readonly ctes: Ctes
  readonly options: WriteOptions
}

/** Throws SQL_REFUSED, or changes the statement into what may run. */
export function resolveWrite(
  statement: WriteStatement,
  scope: WriteScope,
  options: WriteOptions,
): WritableTable {
  if ('InsertStmt' in statement) return resolveInsert(statement.InsertStmt, scope, options)
  if ('UpdateStmt' in statement) return resolveUpdate(statement.UpdateStmt, scope, options)
  return resolveDelete(statement.DeleteStmt, scope, options)
}

function begin(
  statement: InsertStmt | UpdateStmt | DeleteStmt,
  relation: RangeVar | undefined,
  scope: WriteScope,
  options: WriteOptions,
): Writing {
  if (!relation) throw refusal('it names no table.')
  const names = namesIn(scope)
  // Before the WITH queries are known: what is written to is a table of the plugin and never one of these.
  const target = tableItem(names, relation, new Map())
  const name = relation.relname ?? ''
  const table = Object.hasOwn(scope.writable, name) ? scope.writable[name] : undefined
  if (!table) throw refusal(`the table '${name}' cannot be written.`)
  if (table.refused !== undefined && !options.backfill) throw refusal(table.refused)
  return { names, table, target, ctes: visitWith(names, statement, undefined, new Map()), options }
}

function resolveInsert(insert: InsertStmt, scope: WriteScope, options: WriteOptions): WritableTable {
  const writing = begin(insert, insert.relation, scope, options)
  const { names, table, target, ctes } = writing
  const columns = (insert.cols ?? []).map(targetName)
  if (columns.length === 0) throw refusal('name the columns: insert into x (a, b) values (...).')
  for (const column of columns) checkSettable(table, column)
  const select =
    insert.selectStmt && 'SelectStmt' in insert.selectStmt ? insert.selectStmt.SelectStmt : undefined
  if (!select) throw refusal('INSERT needs VALUES or SELECT.')
  visitSelect(names, select, undefined, ctes)
  if (insert.onConflictClause) resolveConflict(writing, insert.onConflictClause)
  visitExpression(
    names,
    insert.returningClause?.exprs,
    { items: [target], aliases: [], outer: undefined },
    ctes,
  )
  for (const [column, value] of addedByInsert(table, columns, options)) {
    insert.cols?.push({ ResTarget: { name: column } })
    addToRows(select, value)
  }
  return table
}

/** At the end of each row: positions in ORDER BY and GROUP BY stay what they are. Too few values are PostgreSQL's error. */
function addToRows(select: SelectStmt, value: () => Node): void {
  if (select.valuesLists) {
    for (const row of select.valuesLists) if ('List' in row) row.List.items?.push(value())
  } else if (select.targetList && !select.larg && !select.distinctClause) {
    select.targetList.push({ ResTarget: { val: value() } })
  } else {
    throw refusal('put DISTINCT and UNION inside: insert into x (a) select q.a from (...) as q.')
  }
}

function addedByInsert(
  table: WritableTable,
  columns: readonly string[],
  { actor }: WriteOptions,
): [string, () => Node][] {
  if (table.kind === 'lines') return []
  const by = () => kernelValue.parameter(actor)
  return [
    ...(columns.includes('id') ? [] : [['id', kernelValue.newId] satisfies [string, () => Node]]),
    ['version', kernelValue.one],
    ['created_at', kernelValue.now],
    ['created_by', by],
    ['updated_at', kernelValue.now],
    ['updated_by', by],
    ...Object.entries(table.initial).map(([column, state]): [string, () => Node] => [
      column,
      () => kernelValue.text(state),
    ]),
  ]
}

function resolveConflict(writing: Writing, conflict: OnConflictClause): void {
  const { names, table, target, ctes } = writing
  if (conflict.infer) {
    const wanted = (conflict.infer.indexElems ?? []).map((element) =>
      'IndexElem' in element ? (element.IndexElem.name ?? '') : '',
    )
    const key = table.keys.find(
      (one) => one.length === wanted.length && one.every((name) => wanted.includes(name)),
    )
    if (!key) {
      const known = table.keys.map((one) => `(${one.join(', ')})`).join(', ')
      throw refusal(`ON CONFLICT (${wanted.join(', ')}) names no unique key. There are: ${known}.`)
    }
    const tenant = { ordering: 'SORTBY_DEFAULT', nulls_ordering: 'SORTBY_NULLS_DEFAULT' } as const
    conflict.infer.indexElems?.unshift({ IndexElem: { name: 'tenant_id', ...tenant } })
  }
  if (conflict.action !== 'ONCONFLICT_UPDATE') return
  // Not the target's columns: an alias may have renamed those.
  const columns = [...table.settable, ...Object.keys(table.kept)].filter((name) => name !== 'tenant_id')
  const excluded: FromItem = { name: 'excluded', columns }
  const scope = { items: [target, excluded], aliases: [], outer: undefined }
  resolveSet(writing, conflict.targetList)
  visitExpression(names, setValues(conflict.targetList), scope, ctes)
  visitExpression(names, conflict.whereClause, scope, ctes)
  conflict.targetList?.push(...addedByUpdate(writing))
}

function resolveUpdate(update: UpdateStmt, scope: WriteScope, options: WriteOptions): WritableTable {
  const writing = begin(update, update.relation, scope, options)
  const { names, target, ctes } = writing
  const items = [target, ...fromItems(names, update.fromClause, ctes)]
  const inside = { items, aliases: [], outer: undefined }
  resolveSet(writing, update.targetList)
  visitExpression(names, setValues(update.targetList), inside, ctes)
  visitExpression(names, [update.whereClause, update.returningClause?.exprs], inside, ctes)
  update.targetList?.push(...addedByUpdate(writing))
  return writing.table
}

function resolveDelete(statement: DeleteStmt, scope: WriteScope, options: WriteOptions): WritableTable {
  const { names, table, target, ctes } = begin(statement, statement.relation, scope, options)
  const items = [target, ...fromItems(names, statement.usingClause, ctes)]
  const inside = { items, aliases: [], outer: undefined }
  visitExpression(names, [statement.whereClause, statement.returningClause?.exprs], inside, ctes)
  return table
}

function fromItems(names: Names, from: readonly Node[] | undefined, ctes: Ctes): FromItem[] {
  const items: FromItem[] = []
  for (const one of from ?? []) items.push(...visitFrom(names, one, items, undefined, ctes))
  return items
}

function resolveSet({ table }: Writing, targets: readonly Node[] | undefined): void {
  for (const target of targets ?? []) {
    const column = targetName(target)
    checkSettable(table, column)
    if (table.fixed.has(column)) throw refusal(`the column '${column}' may not be changed.`)
  }
}

const setValues = (targets: readonly Node[] | undefined): (Node | undefined)[] =>
  (targets ?? []).map((target) => ('ResTarget' in target ? target.ResTarget.val : undefined))

function addedByUpdate({ table, target, options }: Writing): Node[] {
  if (table.kind === 'lines' || options.backfill) return []
  return [
    { ResTarget: { name: 'version', val: kernelValue.nextVersion(target.name ?? '') } },
    { ResTarget: { name: 'updated_at', val: kernelValue.now() } },
    { ResTarget: { name: 'updated_by', val: kernelValue.parameter(options.actor) } },
  ]
}

function targetName(target: Node): string {
  if ('ResTarget' in target && target.ResTarget.name !== undefined) return target.ResTarget.name
  throw refusal('a column to set is written as its name alone.')
}

function checkSettable({ settable, kept }: WritableTable, column: string): void {
  if (settable.has(column)) return
  const why = Object.hasOwn(kept, column) ? kept[column] : undefined
  if (why !== undefined) throw refusal(`the column '${column}' may not be set: ${why}.`)
  throw refusal(`there is no column '${column}' to set. There are: ${[...settable].slice(0, 20).join(', ')}.`)
}

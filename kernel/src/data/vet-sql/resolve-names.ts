// Second pass of the vetting: what every table and column name refers to, by PostgreSQL's own scope rules, and
// the plugin's schema written before its tables.
//
// Columns matter for safety and not only for tables: in PostgreSQL `t.row_to_json` and `x.pg_sleep` call the
// function of that name when t has no such column (measured). So a qualified name must be a column that
// we know t has. Where we do not know all columns of a FROM item we know fewer, never more.

import type {
  Alias,
  CommonTableExpr,
  JoinExpr,
  Node,
  RangeFunction,
  RangeVar,
  SelectStmt,
  WithClause,
} from 'libpg-query'
import { refusal } from './check-nodes.ts'

export interface NamedTables {
  readonly tables: Readonly<Record<string, readonly string[]>>
  readonly schema?: string
}

/** One thing in FROM: the name it is called by, and its columns; undefined stands for one without a sure name. */
export interface FromItem {
  readonly name: string | undefined
  readonly columns: Columns
}
type Columns = readonly (string | undefined)[]
export type Ctes = ReadonlyMap<string, Columns>

export interface Scope {
  readonly items: readonly FromItem[]
  readonly aliases: Columns
  readonly outer: Scope | undefined
}

export interface Names extends NamedTables {
  /** WITH names of the whole statement; each only once, so that a name means one thing everywhere. */
  readonly declared: Set<string>
}

export function resolveNames(statement: SelectStmt, tables: NamedTables): void {
  visitSelect(namesIn(tables), statement, undefined, new Map())
}

export const namesIn = ({ tables, schema }: NamedTables): Names => ({
  tables,
  declared: new Set(),
  ...(schema === undefined ? {} : { schema }),
})

/** Returns the columns that the SELECT puts out. */
export function visitSelect(
  names: Names,
  select: SelectStmt,
  outer: Scope | undefined,
  outerCtes: Ctes,
): Columns {
  const ctes = visitWith(names, select, outer, outerCtes)
  if (select.larg && select.rarg) {
    const columns = visitSelect(names, select.larg, outer, ctes)
    visitSelect(names, select.rarg, outer, ctes)
    visitTail(names, select, { items: [], aliases: columns, outer }, ctes)
    return columns
  }
  if (select.valuesLists) {
    visitExpression(names, select.valuesLists, outer, ctes)
    visitTail(names, select, { items: [], aliases: [], outer }, ctes)
    return widthOf(select.valuesLists[0]).map((_, index) => `column${index + 1}`)
  }
  const items: FromItem[] = []
  for (const from of select.fromClause ?? []) items.push(...visitFrom(names, from, items, outer, ctes))
  const columns = outputColumns(select.targetList ?? [], items)
  const scope: Scope = { items, aliases: columns, outer }
  visitExpression(names, select.targetList, scope, ctes)
  visitExpression(names, [select.whereClause, select.groupClause, select.havingClause], scope, ctes)
  visitExpression(names, [select.distinctClause, select.windowClause], scope, ctes)
  visitTail(names, select, scope, ctes)
  return columns
}

function visitTail(names: Names, select: SelectStmt, scope: Scope, ctes: Ctes): void {
  visitExpression(names, [select.sortClause, select.limitOffset, select.limitCount], scope, ctes)
}

const widthOf = (row: Node | undefined): readonly Node[] =>
  row && 'List' in row && row.List.items ? row.List.items : []

// --- WITH

export function visitWith(
  names: Names,
  statement: { withClause?: WithClause },
  outer: Scope | undefined,
  outerCtes: Ctes,
): Ctes {
  const ctes = new Map(outerCtes)
  for (const node of statement.withClause?.ctes ?? []) {
    if (!('CommonTableExpr' in node)) throw refusal('WITH may hold queries only.')
    const cte = node.CommonTableExpr
    const name = cte.ctename ?? ''
    // A WITH name that is also a table's would be read differently in a forward reference of WITH RECURSIVE.
    if (Object.hasOwn(names.tables, name)) throw refusal(`the WITH query '${name}' has the name of a table.`)
    if (names.declared.has(name)) throw refusal(`the WITH name '${name}' is used twice.`)
    names.declared.add(name)
    const query = selectOf(cte.ctequery)
    if (statement.withClause?.recursive) ctes.set(name, aliasColumns(cte) ?? surelyNamed(query))
    const columns = visitSelect(names, query, outer, ctes)
    ctes.set(name, aliasColumns(cte) ?? columns)
  }
  return ctes
}

const aliasColumns = (cte: CommonTableExpr): Columns | undefined =>
  cte.aliascolnames?.length ? cte.aliascolnames.map(stringOf) : undefined

/** A recursive query may refer to itself before its columns are worked out: those written down, without any star. */
function surelyNamed(query: SelectStmt): Columns {
  let first = query
  while (first.larg) first = first.larg
  return outputColumns(first.targetList ?? [], [])
}

function selectOf(node: Node | undefined): SelectStmt {
  if (node && 'SelectStmt' in node) return node.SelectStmt
  throw refusal('only SELECT is allowed, in WITH and FROM too.')
}

// --- FROM

export function visitFrom(
  names: Names,
  from: Node,
  left: readonly FromItem[],
  outer: Scope | undefined,
  ctes: Ctes,
): readonly FromItem[] {
  if ('RangeVar' in from) return [tableItem(names, from.RangeVar, ctes)]
  if ('JoinExpr' in from) return visitJoin(names, from.JoinExpr, left, outer, ctes)
  const lateral: Scope = { items: left, aliases: [], outer }
  if ('RangeSubselect' in from) {
    const { subquery, alias, lateral: isLateral } = from.RangeSubselect
    const columns = visitSelect(names, selectOf(subquery), isLateral ? lateral : outer, ctes)
    return [{ name: alias?.aliasname, columns: renamed(alias, columns) }]
  }
  if ('RangeFunction' in from) {
    visitExpression(names, from.RangeFunction.functions, lateral, ctes)
    return [functionItem(from.RangeFunction)]
  }
  throw refusal('FROM may hold tables, queries, joins and a few functions.')
}

export function tableItem(names: Names, table: RangeVar, ctes: Ctes): FromItem {
  const name = table.relname ?? ''
  const cte = ctes.get(name)
  const columns = cte ?? (Object.hasOwn(names.tables, name) ? names.tables[name] : undefined)
  if (!columns) {
    const known = Object.keys(names.tables).slice(0, 20).join(', ') || 'none'
    throw refusal(`there is no table '${name}' of this plugin. Its tables: ${known}.`)
  }
  if (!cte && names.schema !== undefined) table.schemaname = names.schema
  return { name: table.alias?.aliasname ?? name, columns: renamed(table.alias, columns) }
}

function visitJoin(
  names: Names,
  join: JoinExpr,
  left: readonly FromItem[],
  outer: Scope | undefined,
  ctes: Ctes,
): readonly FromItem[] {
  if (!join.larg || !join.rarg) throw refusal('a join has two sides.')
  const larg = visitFrom(names, join.larg, left, outer, ctes)
  const rarg = visitFrom(names, join.rarg, [...left, ...larg], outer, ctes)
  const items = [...larg, ...rarg]
  visitExpression(names, join.quals, { items, aliases: [], outer }, ctes)
  // A join with an alias hides its two sides.
  if (!join.alias) return items
  return [
    {
      name: join.alias.aliasname,
      columns: renamed(
        join.alias,
        items.flatMap(({ columns }) => columns),
      ),
    },
  ]
}

/** With a list of new column names only those are sure: a shorter list renames just the first ones. */
const renamed = (alias: Alias | undefined, columns: Columns): Columns =>
  alias?.colnames?.length ? alias.colnames.map(stringOf) : columns

function functionItem({ functions, alias, ordinality }: RangeFunction): FromItem {
  const called = functionName(functions?.[0])
  const name = alias?.aliasname ?? called
  const own = renamed(alias, ordinality ? ['ordinality'] : [])
  // A scalar's one column is called like the item; unnest may return rows with columns of their own instead.
  const scalar = alias?.colnames?.length || called === 'unnest' ? [] : [name]
  return { name, columns: [...scalar, ...own] }
}

function functionName(item: Node | undefined): string | undefined {
  const call = item && 'List' in item ? item.List.items?.[0] : undefined
  return call && 'FuncCall' in call ? stringOf(call.FuncCall.funcname?.at(-1)) : undefined
}

// --- columns

/** Names as PostgreSQL gives them, where that is certain; `?column?`, case, coalesce and so on need an AS. */
function outputColumns(targets: readonly Node[], items: readonly FromItem[]): Columns {
  return targets.flatMap((target): Columns => {
    if (!('ResTarget' in target)) return [undefined]
    const { name, val } = target.ResTarget
    if (name) return [name]
    if (!val || !('ColumnRef' in val) || !endsInStar(val.ColumnRef.fields)) return [figuredName(val)]
    const of = stringOf(val.ColumnRef.fields?.[0])
    return items.filter((item) => of === undefined || item.name === of).flatMap(({ columns }) => columns)
  })
}

function figuredName(value: Node | undefined): string | undefined {
  if (!value) return undefined
  if ('ColumnRef' in value) return stringOf(value.ColumnRef.fields?.at(-1))
  if ('FuncCall' in value) return stringOf(value.FuncCall.funcname?.at(-1))
  return 'TypeCast' in value ? figuredName(value.TypeCast.arg) : undefined
}

const endsInStar = (fields: readonly Node[] | undefined): boolean => {
  const last = fields?.at(-1)
  return last !== undefined && 'A_Star' in last
}

const stringOf = (node: Node | undefined): string | undefined =>
  node && 'String' in node ? (node.String.sval ?? '') : undefined

export function visitExpression(names: Names, value: unknown, scope: Scope | undefined, ctes: Ctes): void {
  if (Array.isArray(value)) {
    for (const item of value) visitExpression(names, item, scope, ctes)
  } else if (typeof value === 'object' && value !== null) {
    if (isSelect(value)) visitSelect(names, value.SelectStmt, scope, ctes)
    else if (isColumn(value)) checkColumn(value.ColumnRef.fields ?? [], scope)
    else visitExpression(names, Object.values(value), scope, ctes)
  }
}

const isSelect = (value: object): value is { SelectStmt: SelectStmt } => 'SelectStmt' in value
const isColumn = (value: object): value is { ColumnRef: { fields?: Node[] } } => 'ColumnRef' in value

function checkColumn(fields: readonly Node[], scope: Scope | undefined): void {
  const [first, second, ...more] = fields
  const name = stringOf(first)
  if (more.length > 0) throw refusal('a column is written name or table.name.')
  if (name === undefined) return // a lone star
  if (second === undefined) {
    checkBare(name, scope)
    return
  }
  const item = findItem(name, scope)
  if (!item) throw refusal(`nothing in FROM is called '${name}' here.`)
  const column = stringOf(second)
  if (column !== undefined && !item.columns.includes(column)) {
    throw refusal(`'${name}' has no column '${column}'. It has: ${listed(item.columns)}.`)
  }
}

function findItem(name: string, scope: Scope | undefined): FromItem | undefined {
  for (let at = scope; at; at = at.outer) {
    const found = at.items.find((item) => item.name === name)
    if (found) return found
  }
  return undefined
}

// They would tell of other tenants' traffic. Refused by name: an alias of an outer query would hide them from us.
const systemColumns = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** An unqualified name calls nothing, so it may mean any column, alias or whole row in sight. */
function checkBare(name: string, scope: Scope | undefined): void {
  if (systemColumns.has(name)) throw refusal(`the system column '${name}' is not allowed.`)
  for (let at = scope; at; at = at.outer) {
    if (at.aliases.includes(name)) return
    if (at.items.some((item) => item.name === name || item.columns.includes(name))) return
  }
  const columns = (scope?.items ?? []).flatMap((item) => item.columns)
  throw refusal(`there is no column '${name}' here. There are: ${listed(columns)}.`)
}

const listed = (columns: Columns): string =>
  columns
    .filter((column) => column !== undefined)
    .slice(0, 20)
    .join(', ') || 'none'

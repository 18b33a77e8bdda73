// The gate of `ctx.sql`: turns a plugin's SQL text into a statement that may run as the plugin's role, or refuses it.
// Everything is an allow-list (./vet-sql/); what runs is the tree we checked, written out again, never the text
// that came in: PostgreSQL's own parser and node-postgres disagree about bytes after a NUL.

import { type InsertStmt, loadModule, type Node, parseSync, type SelectStmt } from 'libpg-query'
import { LRUCache } from 'lru-cache'
import { deparseSync } from 'pgsql-deparser'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors, isPlinthError } from '../errors.ts'
import type { AnswerBounds } from './answer-meter.ts'
import { prepared, type Statement } from './statement.ts'
import { checkNodes } from './vet-sql/check-nodes.ts'
import { resolveNames } from './vet-sql/resolve-names.ts'
import { resolveWrite, type WriteOptions, type WriteStatement } from './vet-sql/resolve-write.ts'
import type { WritableTable } from './vet-sql/write-scope.ts'

/** What a text may touch: the plugin's own tables with their columns, all in the plugin's schema. */
export interface SqlScope {
  readonly tables: Readonly<Record<string, readonly string[]>>
  /** What INSERT, UPDATE and DELETE may touch of them. Without it they are refused. */
  readonly writable?: Readonly<Record<string, WritableTable>>
  /** Written before every table of the vetted text, so that no search_path decides what it means. */
  readonly schema?: string
  /** The vetted text returns at most one row more than this, so that the reader can tell "too many" from "all". */
  readonly maxRows?: number
  /** As `maxRows`, of the rows that an INSERT makes of a query. */
  readonly maxWritten?: number
  /** What the answer to a statement may cost. */
  readonly bounds?: AnswerBounds
}

export interface VettedSql {
  readonly text: string
  /** What it writes to; undefined for a SELECT. */
  readonly writes: { readonly entity: string } | undefined
  /** Ready to run, for one actor. @throws SQL_REFUSED when the values are not as many as the text has parameters */
  statement(values: readonly unknown[], actor: string): Statement
}

export type SqlVetter = (text: string) => VettedSql

const maxTextBytes = 16 * 1024
const maxParameters = 1000

// 6 ms, once per process; after it parsing is synchronous.
await loadModule()

/** One vetting without a cache. Throws SQL_REFUSED, with a reason a plugin author can act on, and nothing else. */
export function vetSql(text: string, scope: SqlScope, off: DefencesOff = allStand): VettedSql {
  checkText(text)
  return refusing(() => {
    const { node, parameters } = parseOne(text, scope.writable !== undefined)
    if ('SelectStmt' in node) {
      resolveNames(node.SelectStmt, scope)
      boundRows(node.SelectStmt, scope.maxRows)
      return runnable({ text: writeOut(node), parameters }, scope, off)
    }
    if (!isWrite(node) || !scope.writable) throw errors.sqlRefused({ reason: 'only SELECT is allowed.' })
    const table = resolveWrite(node, { ...scope, writable: scope.writable }, { actor: parameters + 1 })
    if ('InsertStmt' in node) boundInserted(node.InsertStmt, scope.maxWritten)
    const writes = { entity: table.entity }
    const takesActor = table.kind === 'record' && !('DeleteStmt' in node)
    return runnable({ text: writeOut(node), parameters, writes, takesActor }, scope, off)
  })
}

/**
 * The UPDATE of a migration, over every row of a tenant: the rules of a plugin's own UPDATE, but no new version and no
 * exception for records that no longer change. Without parameters.
 */
export function vetBackfill(
  text: string,
  scope: Required<Pick<SqlScope, 'tables' | 'writable' | 'schema'>>,
): { readonly text: string; readonly entity: string } {
  checkText(text)
  return refusing(() => {
    const { node, parameters } = parseOne(text, true)
    if (!('UpdateStmt' in node)) throw errors.sqlRefused({ reason: 'a backfill is one UPDATE.' })
    if (parameters > 0) throw errors.sqlRefused({ reason: 'a backfill has no parameters.' })
    const options: WriteOptions = { actor: 1, backfill: true }
    return { entity: resolveWrite(node, scope, options).entity, text: writeOut(node) }
  })
}

/**
 * `vetSql` for one plugin, remembering what it accepted: about 0.4 ms for a new report, 0.3 µs for a known one.
 * Refusals are not remembered, or a plugin could push its own good texts out with bad ones at no cost.
 */
export function createSqlVetter(
  scope: SqlScope,
  cacheBytes = 2 * 1024 * 1024,
  off: DefencesOff = allStand,
): SqlVetter {
  if (off.has('sqlVetting')) return (text) => runnable({ text }, scope, off)
  const accepted = new LRUCache<string, VettedSql>({
    maxSize: cacheBytes,
    sizeCalculation: (vetted, text) => 2 * (text.length + vetted.text.length) + 500,
  })
  return (text) => {
    const known = typeof text === 'string' ? accepted.get(text) : undefined
    if (known) return known
    const vetted = vetSql(text, scope, off)
    accepted.set(text, vetted)
    return vetted
  }
}

interface Checked {
  readonly text: string
  /** Undefined: as many values as come. */
  readonly parameters?: number
  readonly writes?: { readonly entity: string }
  /** The actor is the value after those of the text. */
  readonly takesActor?: boolean
}

function runnable(checked: Checked, { bounds, writable }: SqlScope, off: DefencesOff): VettedSql {
  const { text, parameters, writes, takesActor = false } = checked
  const make = prepared(text)
  const mayWrite = writes !== undefined || (writable !== undefined && off.has('sqlVetting'))
  const rules = {
    fromPlugin: true as const,
    ...(mayWrite || off.has('sqlReadOnly') ? {} : { readOnly: true as const, inReadOnly: true as const }),
    ...(bounds && { bounds }),
  }
  return {
    text,
    writes,
    statement(values, actor) {
      if (parameters !== undefined && values.length !== parameters) {
        const reason = `it has ${parameters} parameters, and ${values.length} values came with it.`
        throw errors.sqlRefused({ reason })
      }
      return { ...make(takesActor ? [...values, actor] : values), ...rules }
    },
  }
}

function refusing<T>(vet: () => T): T {
  try {
    return vet()
  } catch (error) {
    if (isPlinthError(error)) throw error
    // Deep nesting ends as a RangeError in JSON.parse or in our walk; the parser stays usable afterwards.
    throw errors.sqlRefused({ reason: 'the text is nested too deeply.' }, error)
  }
}

const isWrite = (node: Node): node is WriteStatement =>
  'InsertStmt' in node || 'UpdateStmt' in node || 'DeleteStmt' in node

function checkText(text: unknown): asserts text is string {
  if (typeof text !== 'string') throw errors.sqlRefused({ reason: 'it is not a text.' })
  if (text.length > maxTextBytes || Buffer.byteLength(text) > maxTextBytes) {
    throw errors.sqlRefused({ reason: `it is longer than ${maxTextBytes} bytes.` })
  }
  // libpg-query stops reading at a NUL while the server would not; lone surrogates become other characters.
  if (text.trim() === '') throw errors.sqlRefused({ reason: 'it is empty.' })
  if (text.includes('\0')) throw errors.sqlRefused({ reason: 'it contains a NUL character.' })
  if (!text.isWellFormed()) throw errors.sqlRefused({ reason: 'it is not well-formed Unicode.' })
}

function parseOne(text: string, writes: boolean): { node: Node; parameters: number } {
  const statements = parseStatements(text)
  const only = statements[0]
  if (!only || statements.length !== 1) {
    const kind = writes ? 'statement' : 'SELECT'
    throw errors.sqlRefused({
      reason: `one ${kind} is allowed, this text has ${statements.length} statements.`,
    })
  }
  const parameters = checkNodes(only, writes)
  if (parameters > maxParameters) {
    throw errors.sqlRefused({ reason: `it has a parameter $${parameters}; the limit is ${maxParameters}.` })
  }
  return { node: only, parameters }
}

function parseStatements(text: string): Node[] {
  try {
    return (parseSync(text).stmts ?? []).flatMap(({ stmt }) => (stmt ? [stmt] : []))
  } catch (error) {
    if (error instanceof RangeError) throw error
    throw errors.sqlRefused(
      { reason: error instanceof Error ? `${error.message}.` : 'it does not parse.' },
      error,
    )
  }
}

/** LIMIT is set by us: the rows a report may read are bounded on the server, before they cross the socket. */
function boundRows(statement: SelectStmt, maxRows: number | undefined): void {
  if (maxRows === undefined) return
  const cap: Node = { A_Const: { ival: { ival: maxRows + 1 } } }
  // LEAST ignores NULL, so LIMIT NULL and LIMIT ALL are bounded too.
  statement.limitCount = statement.limitCount
    ? { MinMaxExpr: { op: 'IS_LEAST', args: [statement.limitCount, cap] } }
    : cap
  statement.limitOption = 'LIMIT_OPTION_COUNT'
}

function boundInserted({ selectStmt }: InsertStmt, maxWritten: number | undefined): void {
  // VALUES are bounded by the length of the text.
  if (selectStmt && 'SelectStmt' in selectStmt && !selectStmt.SelectStmt.valuesLists) {
    boundRows(selectStmt.SelectStmt, maxWritten)
  }
}

/**
 * The checked tree as text. It is parsed once more and must give the same tree: a slip of the deparser (a lost
 * parenthesis, an unquoted name) would otherwise be a wrong figure at best and an injection at worst.
 */
function writeOut(statement: Node): string {
  const text = deparseSync([statement], { pretty: false })
  const [again, ...more] = parseStatements(text)
  if (!again || more.length > 0 || !isSameTree(again, statement)) {
    throw errors.sqlRefused({
      reason: 'it uses a notation that cannot be written out again. Put it more plainly.',
    })
  }
  return text
}

const positions = new Set(['location', 'list_start', 'list_end', 'rexpr_list_start', 'rexpr_list_end'])

/** Equal but for where in the text each part stands. A walk of its own: JSON.stringify took 0.5 ms of 1 ms. */
function isSameTree(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return one === other
  }
  const left = Object.entries(one).filter(([key]) => !positions.has(key))
  const right = new Map(Object.entries(other).filter(([key]) => !positions.has(key)))
  return left.length === right.size && left.every(([key, value]) => isSameTree(value, right.get(key)))
}

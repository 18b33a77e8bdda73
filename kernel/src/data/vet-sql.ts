// The gate of `ctx.sql`: turns a plugin's SQL text into a text that may run as the plugin's role, or refuses it.
// Everything is an allow-list (./vet-sql/); what runs is the tree we checked, written out again, never the text
// that came in: PostgreSQL's own parser and node-postgres disagree about bytes after a NUL.

import { loadModule, type Node, parseSync, type SelectStmt } from 'libpg-query'
import { LRUCache } from 'lru-cache'
import { deparseSync } from 'pgsql-deparser'
import { errors, isPlinthError } from '../errors.ts'
import { checkNodes } from './vet-sql/check-nodes.ts'
import { resolveNames } from './vet-sql/resolve-names.ts'

/** What a text may touch: the plugin's own tables with their columns, all in the plugin's schema. */
export interface SqlScope {
  readonly tables: Readonly<Record<string, readonly string[]>>
  /** Written before every table of the vetted text, so that no search_path decides what it means. */
  readonly schema?: string
  /** The vetted text returns at most one row more than this, so that the reader can tell "too many" from "all". */
  readonly maxRows?: number
}

export interface VettedSql {
  readonly text: string
  /** The highest $n in the text; exactly so many values must come with it. */
  readonly parameters: number
}

export type SqlVetter = (text: string) => VettedSql

const maxTextBytes = 64 * 1024
const maxParameters = 1000

// 6 ms, once per process; after it parsing is synchronous.
await loadModule()

/** One vetting without a cache. Throws SQL_REFUSED, with a reason a plugin author can act on, and nothing else. */
export function vetSql(text: string, scope: SqlScope): VettedSql {
  checkText(text)
  try {
    const { statement, parameters } = parseSelect(text)
    resolveNames(statement, scope)
    boundRows(statement, scope.maxRows)
    return { text: writeOut(statement), parameters }
  } catch (error) {
    if (isPlinthError(error)) throw error
    // Deep nesting ends as a RangeError in JSON.parse or in our walk; the parser stays usable afterwards.
    throw errors.sqlRefused({ reason: 'the text is nested too deeply.' }, error)
  }
}

/**
 * `vetSql` for one plugin, remembering what it accepted: about 0.4 ms for a new report, 0.3 µs for a known one.
 * Refusals are not remembered, or a plugin could push its own good texts out with bad ones at no cost.
 */
export function createSqlVetter(scope: SqlScope, cacheBytes = 2 * 1024 * 1024): SqlVetter {
  const accepted = new LRUCache<string, VettedSql>({
    maxSize: cacheBytes,
    sizeCalculation: (vetted, text) => 2 * (text.length + vetted.text.length) + 100,
  })
  return (text) => {
    const known = typeof text === 'string' ? accepted.get(text) : undefined
    if (known) return known
    const vetted = vetSql(text, scope)
    accepted.set(text, vetted)
    return vetted
  }
}

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

function parseSelect(text: string): { statement: SelectStmt; parameters: number } {
  const statements = parseStatements(text)
  const only = statements[0]
  if (!only || statements.length !== 1) {
    throw errors.sqlRefused({
      reason: `one SELECT is allowed, this text has ${statements.length} statements.`,
    })
  }
  const parameters = checkNodes(only)
  if (!('SelectStmt' in only)) throw errors.sqlRefused({ reason: 'only SELECT is allowed.' })
  if (parameters > maxParameters) {
    throw errors.sqlRefused({ reason: `it has a parameter $${parameters}; the limit is ${maxParameters}.` })
  }
  return { statement: only.SelectStmt, parameters }
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

/**
 * The checked tree as text. It is parsed once more and must give the same tree: a slip of the deparser (a lost
 * parenthesis, an unquoted name) would otherwise be a wrong figure at best and an injection at worst.
 */
function writeOut(statement: SelectStmt): string {
  const text = deparseSync([{ SelectStmt: statement }], { pretty: false })
  const [again, ...more] = parseStatements(text)
  if (!again || more.length > 0 || !isSameTree(again, { SelectStmt: statement })) {
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

// One SQL statement with its values, and what comes back. Texts are constants or built from closed sets;
// whatever a caller sent is among the values.
import { createHash } from 'node:crypto'
import type { Json } from '@plinth/sdk'
import type { AnswerBounds } from './answer-meter.ts'

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** Prepared under this name, once per connection. Take it from `statementName`. */
  readonly name?: string
  /** Reads and locks nothing: a unit of work that has not begun need not begin for it. */
  readonly readOnly?: true
  /** Written by a plugin. The connection is cleaned before another tenant or plugin gets it. */
  readonly fromPlugin?: true
  /** The database refuses to let it write. */
  readonly inReadOnly?: true
  /** What its answer may cost: 32 MB unless said. Beyond, the connection is cut. */
  readonly bounds?: AnswerBounds
}

/** A plugin wrote it, or may have: what the kernel wrote has a name. */
export const isPlugins = ({ name, fromPlugin }: Statement): boolean =>
  name === undefined || fromPlugin === true

/** numeric, date and uuid come as text, timestamps as ISO 8601 with milliseconds, bigint as number when it is safe. */
export type Row = readonly Json[]

export interface QueryResult {
  readonly rows: readonly Row[]
  /** Rows returned or, without RETURNING, touched. */
  readonly rowCount: number
  readonly columns: readonly string[]
}

/** Whoever can run one statement as a plugin's role, for one tenant. A unit of work is one. */
export interface Reader {
  readonly tenant: string
  query(role: string, statement: Statement): Promise<QueryResult>
}

/** The same text always has the same name, so connections may share texts but never confuse them. */
export const statementName = (text: string): string =>
  `p_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`

/** A maker of statements for a text that is known in advance: `const byId = prepared('SELECT ...')`, `byId([id])`. */
export function prepared(text: string): (values: readonly unknown[]) => Statement {
  const name = statementName(text)
  return (values) => ({ name, text, values })
}

/** Rows as objects, for plugin SQL, whose columns the kernel does not know. */
export const rowsAsObjects = ({ rows, columns }: QueryResult): Record<string, Json>[] =>
  rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at] ?? null])))

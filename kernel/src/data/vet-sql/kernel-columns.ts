// The values the kernel itself puts into a plugin's INSERT and UPDATE, as parts of the syntax tree. Parsed from text,
// so that they are exactly what the parser makes of them when the vetted statement is checked once more.
import { type Node, parseSync } from 'libpg-query'

function expression(text: string): Node {
  const [only] = parseSync(`SELECT ${text}`).stmts ?? []
  const statement = only?.stmt
  const target = statement && 'SelectStmt' in statement ? statement.SelectStmt.targetList?.[0] : undefined
  const value = target && 'ResTarget' in target ? target.ResTarget.val : undefined
  if (!value) throw new Error(`'${text}' is no expression`)
  return value
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** PostgreSQL 18 has uuidv7(); this gives the same on 16: the time in milliseconds over a random UUID, version 7. */
const newId = `encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing
  substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1),
  'hex')::uuid`

export const kernelValue = {
  newId: () => expression(newId),
  one: () => expression('1'),
  now: () => expression('CURRENT_TIMESTAMP'),
  text: (value: string) => expression(literal(value)),
  parameter: (number: number) => expression(`$${number}::text`),
  /** `table.version + 1` */
  nextVersion(table: string): Node {
    const value = expression('x.version + 1')
    const column = 'A_Expr' in value ? value.A_Expr.lexpr : undefined
    if (column && 'ColumnRef' in column) column.ColumnRef.fields?.splice(0, 1, { String: { sval: table } })
    return value
  },
}

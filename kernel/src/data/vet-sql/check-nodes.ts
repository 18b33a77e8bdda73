// First pass of the vetting: every node, field, function, operator and type of the tree stands on a list.
// What names refer to (tables, columns) is the second pass, resolve-names.ts.

import { errors, type PlinthError } from '../../errors.ts'
import { functions, operators, setFunctions, types } from './allowed-names.ts'
import { type FieldRule, type NodeShapes, nodeShapes, plainWords } from './node-shapes.ts'
import { writeShapes } from './write-shapes.ts'

type Tree = Readonly<Record<string, unknown>>

// Ordinary reports stay below 60. The deparser and the server's parser both recurse.
const maxDepth = 400
// An ordinary report has 200; 18 000 (6 000 columns) took 240 ms of the kernel's only thread.
const maxNodes = 5000

export const refusal = (reason: string): PlinthError => errors.sqlRefused({ reason })

/**
 * Returns the highest parameter number; throws SQL_REFUSED for anything that is not on the lists. INSERT, UPDATE and
 * DELETE are on them with `writes`, as the statement itself and nowhere inside it.
 */
export function checkNodes(statement: unknown, writes = false): number {
  const seen: Seen = { parameters: 0, nodes: 0, shapes: writes ? everyShape : nodeShapes }
  checkWrapped(statement, 0, seen)
  return seen.parameters
}

const everyShape: NodeShapes = { ...nodeShapes, ...writeShapes }
const writeKinds = ['InsertStmt', 'UpdateStmt', 'DeleteStmt']

interface Seen {
  readonly shapes: NodeShapes
  nodes: number
  parameters: number
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function checkWrapped(value: unknown, depth: number, seen: Seen): void {
  if (Array.isArray(value)) {
    for (const item of value) checkWrapped(item, depth, seen)
    return
  }
  if (!isTree(value)) throw refusal('its syntax tree has an unknown form.')
  const entries = Object.entries(value)
  // An empty node is how the parser writes "nothing here" in a list: plain DISTINCT, a function without columns.
  if (entries.length === 0) return
  const [kind, node] = entries[0] ?? ['', undefined]
  if (entries.length > 1) throw refusal('its syntax tree has an unknown form.')
  checkNode(kind, node, depth + 1, seen)
}

function checkNode(kind: string, node: unknown, depth: number, seen: Seen): void {
  if (depth > maxDepth) throw refusal('the text is nested too deeply.')
  seen.nodes += 1
  if (seen.nodes > maxNodes) throw refusal(`it has more than ${maxNodes} parts. Pass lists as one array.`)
  if (depth > 1 && writeKinds.includes(kind))
    throw refusal(`${statementWords(kind)} inside a statement is not allowed.`)
  const { shapes } = seen
  const shape = Object.hasOwn(shapes, kind) ? shapes[kind] : undefined
  if (!shape || !isTree(node))
    throw refusal(`${plainWords[kind] ?? withArticle(kind, shapes)} is not allowed.`)
  for (const [field, value] of Object.entries(node)) {
    const rule = Object.hasOwn(shape, field) ? shape[field] : undefined
    if (!rule) throw refusal(`${plainWords[`${kind}.${field}`] ?? `${kind}.${field}`} is not allowed.`)
    checkField(`${kind}.${field}`, rule, value, depth, seen)
  }
  checks[kind]?.(node, seen)
}

function checkField(name: string, rule: FieldRule, value: unknown, depth: number, seen: Seen): void {
  if (rule === 'nodes') {
    checkWrapped(value, depth, seen)
  } else if (rule === 'plain') {
    if (typeof value === 'object') throw refusal('its syntax tree has an unknown form.')
  } else if ('inline' in rule) {
    checkNode(rule.inline, value, depth + 1, seen)
  } else if (typeof value !== 'string' || !rule.oneOf.includes(value)) {
    throw refusal(`${plainWords[name] ?? `${name} ${String(value)}`} is not allowed.`)
  }
}

/** `CreateTableAsStmt` -> CREATE TABLE AS */
const statementWords = (kind: string): string =>
  kind
    .slice(0, -'Stmt'.length)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase()

const withArticle = (kind: string, shapes: NodeShapes): string => {
  if (!kind.endsWith('Stmt')) return `the notation ${kind}`
  const allowed =
    shapes === everyShape ? 'SELECT, INSERT, UPDATE and DELETE alone are allowed' : 'only SELECT is allowed'
  return `${allowed}; ${statementWords(kind)}`
}

/** What the lists cannot say by node and field alone. */
const checks: Readonly<Record<string, (node: Tree, seen: Seen) => void>> = {
  FuncCall: ({ funcname }) => {
    const name = builtInName(funcname)
    if (!functions.has(name)) throw refusal(`the function '${name}' is not one a report may use.`)
  },
  RangeFunction: ({ functions: called }) => {
    for (const name of calledNames(called)) {
      if (!setFunctions.has(name)) {
        throw refusal(`${name} may not stand in FROM, only ${[...setFunctions].join(', ')}.`)
      }
    }
  },
  TypeName: ({ names }) => {
    const name = builtInName(names)
    if (!types.has(name)) throw refusal(`the type '${name}' is not one a report may use.`)
  },
  A_Expr: ({ name }) => checkOperator(name),
  SubLink: ({ operName }) => {
    if (operName !== undefined) checkOperator(operName)
  },
  // (0.1::float8).pg_sleep calls a function without a FuncCall; only subscripts may follow a value.
  A_Indirection: ({ indirection }) => {
    const parts = Array.isArray(indirection) ? indirection : [indirection]
    if (!parts.every((part) => isTree(part) && 'A_Indices' in part)) {
      throw refusal('a field taken from an expression, as in (value).name, is not allowed.')
    }
  },
  ParamRef: ({ number }, seen) => {
    if (typeof number !== 'number' || number < 1) throw refusal('parameters are written $1, $2 and so on.')
    seen.parameters = Math.max(seen.parameters, number)
  },
}

const isString = (part: unknown): part is { String: { sval: string } } =>
  isTree(part) && isTree(part['String']) && typeof part['String']['sval'] === 'string'

const nameParts = (names: unknown): string[] =>
  Array.isArray(names) ? names.map((part) => (isString(part) ? part.String.sval : '*')) : []

/** `sum` and `pg_catalog.sum` are the same built-in; any other schema stays in the name and is on no list. */
const builtInName = (names: unknown): string => {
  const parts = nameParts(names)
  return parts.length === 2 && parts[0] === 'pg_catalog' ? `${parts[1]}` : parts.join('.')
}

function checkOperator(name: unknown): void {
  // OPERATOR(schema.+) would find an operator outside pg_catalog.
  const parts = nameParts(name)
  const operator = parts.join('.')
  if (parts.length !== 1 || !operators.has(operator))
    throw refusal(`the operator '${operator}' is not allowed.`)
}

/** The function of each item of FROM f(...); an item is a list of the call and its (absent) column definitions. */
function calledNames(items: unknown): string[] {
  const lists = Array.isArray(items) ? items : []
  return lists.map((item) => {
    const list = isTree(item) && isTree(item['List']) ? item['List']['items'] : undefined
    const call = Array.isArray(list) ? list[0] : undefined
    return isTree(call) && isTree(call['FuncCall'])
      ? builtInName(call['FuncCall']['funcname'])
      : 'such a value'
  })
}

// A migration as steps: what may share a transaction, and what must run outside one so that nobody waits for it. The
// same migration always gives the same steps, so that one that was interrupted can be continued by number.

import { foldOperation, originOf } from './fold-operations.ts'
import { partOf } from './operation-parts.ts'
import type { Operation, PluginMigration } from './operations.ts'
import type { StorageShape } from './storage-shape.ts'

/** What the statement keeps others from doing on `table` while it runs. */
export type LockLevel =
  | 'ROW EXCLUSIVE'
  | 'SHARE UPDATE EXCLUSIVE'
  | 'SHARE ROW EXCLUSIVE'
  | 'ACCESS EXCLUSIVE'

export interface DdlStatement {
  readonly text: string
  readonly table: string
  readonly lock: LockLevel
  /** `catalogue`: takes the same time whatever the table holds. */
  readonly work: 'catalogue' | 'scan' | 'rewrite'
}

export type Step =
  /** In one transaction with its neighbours. */
  | { readonly kind: 'ddl'; readonly statements: readonly DdlStatement[]; readonly renames?: true }
  /** CREATE INDEX CONCURRENTLY: outside a transaction; half an index is dropped and built again. */
  | {
      readonly kind: 'index'
      readonly name: string
      readonly statement: DdlStatement
      /** What it means that rows stand against it. */
      readonly problem: string
    }
  /** A constraint is added unproven, then proven under a weak lock; on failure `undo` takes it away again. */
  | {
      readonly kind: 'validate'
      readonly add: readonly DdlStatement[]
      readonly prove: readonly DdlStatement[]
      readonly undo: string
      readonly problem: string
    }
  /** Runs for each tenant by itself, as the plugin's role. */
  | { readonly kind: 'fill'; readonly entity: string; readonly table: string; readonly fill: Fill }

export type Fill =
  /** Again and again until it changes nothing. */
  | { readonly by: 'batches'; readonly text: string }
  /** Once; vetted before it runs. `shape` says which tables there are. */
  | { readonly by: 'update'; readonly sql: string; readonly shape: StorageShape }

/** What one operation does. */
export interface OperationPart {
  /** Before the keys of all operations beside it: entities of one migration may refer to each other. */
  readonly tables: readonly DdlStatement[]
  readonly keys: readonly DdlStatement[]
  readonly later: readonly Step[]
  readonly renames?: true
}

/** These only add: in a row they may change places with each other. */
const adding: readonly Operation['op'][] = ['createEntity', 'addField', 'makeOptional', 'addIndex']

/** `fresh`: the plugin has no tables yet. Nobody can be in the way, and everything fits into one transaction. */
export function stepsOf(
  schema: string,
  migration: PluginMigration,
  before: StorageShape,
  fresh: boolean,
): Step[] {
  const steps: Step[] = []
  let row: OperationPart[] = []
  const flush = () => {
    const statements = [...row.flatMap((part) => part.tables), ...row.flatMap((part) => part.keys)]
    const renames = row.some((part) => part.renames)
    if (statements.length > 0) steps.push({ kind: 'ddl', statements, ...(renames && { renames: true }) })
    steps.push(...row.flatMap((part) => part.later))
    row = []
  }
  for (const { operation, part } of partsOf(schema, migration, before, fresh)) {
    if (!adding.includes(operation.op)) flush()
    row.push(part)
    if (!adding.includes(operation.op)) flush()
  }
  flush()
  return steps
}

/** Each operation with what it does, given what those before it did. */
export function partsOf(
  schema: string,
  migration: PluginMigration,
  before: StorageShape,
  fresh: boolean,
): { readonly operation: Operation; readonly part: OperationPart }[] {
  const origin = originOf(migration)
  const created = new Set<string>()
  let shape = before
  return migration.operations.map((operation) => {
    if (operation.op === 'createEntity') created.add(operation.entity)
    const after = foldOperation(shape, operation, origin)
    const online = !fresh && !created.has(operation.entity)
    const part = partOf(schema, operation, shape, after, online)
    shape = after
    return { operation, part }
  })
}

// Whether two versions of a plugin can work on the same tables: the version before a migration, on the tables after it.
import { describeOperation, type Operation, type PluginMigration } from './operations.ts'

export type Compatibility = 'compatible' | 'exclusive'

export interface CompatibilityVerdict {
  readonly compatibility: Compatibility
  /** Why the version before must be gone first; empty when it may stay. */
  readonly reasons: readonly string[]
}

/** `undefined`: the version before goes on working. */
const whyExclusive: Readonly<Record<Operation['op'], string | undefined>> = {
  createEntity: undefined,
  renameEntity: 'the version before looks for the old name',
  retireEntity: undefined,
  restoreEntity: undefined,
  dropEntity: 'the version that used it would fail, and its records are gone for good',
  // A column with a default, or one that may be empty: who does not know it inserts without it.
  addField: undefined,
  renameField: 'the version before looks for the old name',
  retireField: undefined,
  restoreField: undefined,
  dropField: 'the version that used it would fail, and its values are gone for good',
  makeOptional: undefined,
  makeRequired: 'the version before may write records without it',
  addUnique: 'the version before may write a value twice',
  dropUnique: 'the version before relies on it',
  fillField: undefined,
  addIndex: undefined,
  retireIndex: undefined,
  restoreIndex: undefined,
  dropIndex: 'lists of the version that used it would become slow',
  backfill: undefined,
}

export const compatibilityOfOperation = ({ op }: Operation): Compatibility =>
  whyExclusive[op] === undefined ? 'compatible' : 'exclusive'

/** What cannot be brought back by another migration. */
export const isDestructive = ({ op }: Operation): boolean => op === 'dropEntity' || op === 'dropField'

export function compatibilityOf(migrations: readonly PluginMigration[]): CompatibilityVerdict {
  const reasons = migrations.flatMap(({ name, operations }) =>
    operations.flatMap((operation) => {
      const why = whyExclusive[operation.op]
      return why === undefined ? [] : [`${name}: ${describeOperation(operation)}: ${why}.`]
    }),
  )
  return { compatibility: reasons.length === 0 ? 'compatible' : 'exclusive', reasons }
}

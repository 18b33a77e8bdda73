// The contract step: what earlier releases retired is dropped. Written by `plinth migrate --contract`.
import semver from 'semver'
import { foldOperation, originOf } from './fold-operations.ts'
import type { Operation, Origin } from './operations.ts'
import type { StorageShape } from './storage-shape.ts'

export interface Contraction {
  readonly operations: readonly Operation[]
  /** What this release retired itself, in sentences. */
  readonly waiting: readonly string[]
}

export function contractMigration(shape: StorageShape, release: string): Contraction {
  const operations: Operation[] = []
  const waiting: string[] = []
  const here = originOf({ name: 'this migration', release })
  const consider = (operation: Operation, retired: Origin | undefined) => {
    if (!retired) return
    if (semver.gt(here.release, retired.release)) operations.push(operation)
    else waiting.push(sentenceOf(shape, operation, here))
  }
  for (const [entity, { fields, retired, retiredIndexes = [] }] of Object.entries(shape)) {
    // It goes with all it has.
    if (retired) continue
    for (const index of retiredIndexes)
      consider({ op: 'dropIndex', entity, fields: index.fields }, index.retired)
    for (const [field, spec] of Object.entries(fields)) {
      consider({ op: 'dropField', entity, field }, spec.retired)
      if (spec.kind !== 'lines' || spec.retired) continue
      for (const [line, { retired: ended }] of Object.entries(spec.fields ?? {}))
        consider({ op: 'dropField', entity, lines: field, field: line }, ended)
    }
  }
  // Last: fields that refer to them are gone by then.
  for (const [entity, { retired }] of Object.entries(shape)) consider({ op: 'dropEntity', entity }, retired)
  return { operations, waiting }
}

/** Why it cannot be dropped yet, in the words of the rule itself. */
function sentenceOf(shape: StorageShape, operation: Operation, here: Origin): string {
  try {
    foldOperation(shape, operation, here)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

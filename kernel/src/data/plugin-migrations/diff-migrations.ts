// What is missing between the tables that are there and those a manifest wants: operations, or the reason why there
// are none. Nothing is guessed: what could be a rename or a loss is asked for by name (migration-wishes.ts).
import type { Manifest } from '@plinth/sdk'
import { diffFields, whatToDo } from './diff-fields.ts'
import { foldOperation, originOf } from './fold-operations.ts'
import { type MigrationWishes, noWishes, type Rename } from './migration-wishes.ts'
import type { Operation, StoredEntity } from './operations.ts'
import { linesOf, nameCollisions, own, type StorageShape, storageShape } from './storage-shape.ts'

export interface MigrationDiff {
  readonly operations: readonly Operation[]
  /** Why the manifest cannot be reached. When there is one, the operations are not to be run. */
  readonly refusals: readonly string[]
}

/** The migration that is being written, which comes after all others. */
const here = originOf({ name: 'this migration' })

/** What has been found so far. */
export interface Draft {
  readonly wishes: MigrationWishes
  /** In the order in which they must run. */
  readonly retiring: Operation[]
  readonly adding: Operation[]
  readonly filling: Operation[]
  readonly tightening: Operation[]
  readonly refusals: string[]
  /** Wished drops that were something to drop. */
  readonly dropped: Set<string>
}

export function diffMigrations(
  shape: StorageShape,
  manifest: Manifest,
  wishes: MigrationWishes = noWishes,
): MigrationDiff {
  const wanted = storageShape(manifest)
  const draft: Draft = {
    wishes,
    retiring: [],
    adding: [],
    filling: wishes.backfills.map((backfill) => ({ op: 'backfill', ...backfill })),
    tightening: [],
    refusals: [],
    dropped: new Set(),
  }
  const { shape: renamed, operations: renames } = renamedShape(shape, wanted, draft)
  for (const [entity, spec] of Object.entries(wanted)) diffEntity(entity, own(renamed, entity), spec, draft)
  // After their fields: what refers to them goes first.
  for (const [entity, spec] of Object.entries(renamed)) {
    if (!own(wanted, entity) && !spec.retired) entityIsGone(entity, renamed, wanted, draft)
  }
  for (const drop of wishes.drops) {
    if (!draft.dropped.has(drop))
      draft.refusals.push(`--drop ${drop}: it is still in the manifest, or was never there.`)
  }
  const operations = [...renames, ...draft.retiring, ...draft.adding, ...draft.filling, ...draft.tightening]
  return { operations, refusals: [...collisionsAfter(shape, operations, wanted), ...draft.refusals] }
}

/** Also with what is retired: its columns and tables are still there. */
function collisionsAfter(
  shape: StorageShape,
  operations: readonly Operation[],
  wanted: StorageShape,
): string[] {
  try {
    let after = shape
    for (const operation of operations) after = foldOperation(after, operation, here)
    return nameCollisions(after)
  } catch (error) {
    return [...nameCollisions(wanted), error instanceof Error ? error.message : String(error)]
  }
}

function renamedShape(
  shape: StorageShape,
  wanted: StorageShape,
  { wishes, refusals }: Draft,
): { readonly shape: StorageShape; readonly operations: Operation[] } {
  const operations: Operation[] = []
  let current = shape
  const entitiesFirst = [...wishes.renames].sort(
    (a, b) => Math.min(a.from.length, 2) - Math.min(b.from.length, 2),
  )
  for (const rename of entitiesFirst) {
    const operation = renameOperation(rename)
    const name = `--rename ${rename.from.join('.')}=${rename.to.join('.')}`
    if (isWanted(wanted, rename)) {
      refusals.push(`${name}: '${rename.from.join('.')}' is still in the manifest.`)
      continue
    }
    try {
      current = foldOperation(current, operation, here)
      operations.push(operation)
    } catch (error) {
      refusals.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { shape: current, operations }
}

/** A field's entity may be renamed as well: its place is named as it will be. */
function renameOperation({ from: [entity = '', ...rest], to }: Rename): Operation {
  const [place = '', ...toRest] = to
  if (rest.length === 0) return { op: 'renameEntity', entity, to: place }
  const [lines = '', field] = rest
  if (field === undefined) return { op: 'renameField', entity: place, field: lines, to: toRest[0] ?? '' }
  return { op: 'renameField', entity: place, lines, field, to: toRest[1] ?? '' }
}

function isWanted(wanted: StorageShape, { from, to }: Rename): boolean {
  const [first = '', second, third] = from
  const entity = own(wanted, second === undefined ? first : (to[0] ?? ''))
  if (second === undefined || !entity) return entity !== undefined
  const field = own(entity.fields, second)
  return third === undefined ? field !== undefined : own(field?.fields ?? {}, third) !== undefined
}

function diffEntity(
  entity: string,
  stored: StoredEntity | undefined,
  spec: StoredEntity,
  draft: Draft,
): void {
  if (!stored) {
    draft.adding.push({ op: 'createEntity', entity, spec })
    return
  }
  if (stored.retired) draft.retiring.push({ op: 'restoreEntity', entity })
  retireIndexes(entity, stored, spec, draft)
  diffFields({ entity }, stored.fields, spec.fields, draft)
  for (const [lines, fields] of linesOf(spec.fields)) {
    const before = own(stored.fields, lines)
    if (before?.kind === 'lines') diffFields({ entity, lines }, before.fields ?? {}, fields, draft)
  }
  addIndexes(entity, stored, spec, draft)
}

function entityIsGone(entity: string, stored: StorageShape, wanted: StorageShape, draft: Draft): void {
  if (draft.wishes.drops.includes(entity)) {
    draft.dropped.add(entity)
    draft.retiring.push({ op: 'retireEntity', entity })
    return
  }
  const candidates = Object.keys(wanted).filter((name) => !own(stored, name))
  draft.refusals.push(`Entity '${entity}' is gone from the manifest. ${whatToDo(entity, candidates)}`)
}

const hasIndex = (indexes: readonly (readonly string[])[], index: readonly string[]): boolean =>
  indexes.some((other) => other.join() === index.join())

function retireIndexes(entity: string, stored: StoredEntity, wanted: StoredEntity, draft: Draft): void {
  for (const fields of stored.indexes) {
    if (!hasIndex(wanted.indexes, fields)) draft.retiring.push({ op: 'retireIndex', entity, fields })
  }
}

function addIndexes(entity: string, stored: StoredEntity, wanted: StoredEntity, draft: Draft): void {
  const retired = (stored.retiredIndexes ?? []).map((index) => index.fields)
  for (const fields of wanted.indexes) {
    if (hasIndex(stored.indexes, fields)) continue
    draft.adding.push({ op: hasIndex(retired, fields) ? 'restoreIndex' : 'addIndex', entity, fields })
  }
}

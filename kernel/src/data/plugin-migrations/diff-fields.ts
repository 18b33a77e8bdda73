// The fields part of a diff: which operations lead from the stored fields of one place to those the manifest wants.
import { columnDefaults } from './column-defaults.ts'
import type { Draft } from './diff-migrations.ts'
import type { FieldPlace, StoredField, StoredFields } from './operations.ts'
import { placeName } from './operations.ts'
import { fieldChange, own } from './storage-shape.ts'

export interface Place {
  readonly entity: string
  readonly lines?: string
}

export function diffFields(place: Place, stored: StoredFields, wanted: StoredFields, draft: Draft): void {
  for (const [field, spec] of Object.entries(stored)) {
    if (own(wanted, field) || spec.retired) continue
    const name = placeName({ ...place, field })
    if (draft.wishes.drops.includes(name)) {
      draft.dropped.add(name)
      draft.retiring.push({ op: 'retireField', ...place, field })
      continue
    }
    const sameKind = Object.keys(wanted).filter(
      (other) => !own(stored, other) && own(wanted, other)?.kind === spec.kind,
    )
    const candidates = sameKind.map((other) => placeName({ ...place, field: other }))
    draft.refusals.push(`Field '${name}' is gone from the manifest. ${whatToDo(name, candidates)}`)
  }
  for (const [field, spec] of Object.entries(wanted)) {
    const before = own(stored, field)
    if (!before) addField({ ...place, field }, spec, draft)
    else if (before.retired) restoreField({ ...place, field }, before, spec, draft)
    else changeField({ ...place, field }, before, spec, draft)
  }
}

/** Never a guess: the author says which it is. */
export function whatToDo(gone: string, candidates: readonly string[]): string {
  const renames = candidates.map((name) => `plinth migrate --rename ${gone}=${name}`).join(' or ')
  const drop = `plinth migrate --drop ${gone}`
  const rename = renames === '' ? '' : `If it has another name now: ${renames}. `
  return `${rename}If nobody needs it any more: ${drop} (what is stored stays until a later release drops it).`
}

const hasBackfill = (place: FieldPlace, draft: Draft): boolean =>
  draft.wishes.backfills.some((backfill) => backfill.entity === place.entity)

const backfillHint = ({ entity, field }: FieldPlace): string =>
  `plinth migrate --backfill ${entity}="update ... set ${field} = ... where ${field} is null"`

function addField(place: FieldPlace, spec: StoredField, draft: Draft): void {
  if (columnDefaults(place.field, spec) !== undefined) {
    draft.adding.push({ op: 'addField', ...place, spec })
    return
  }
  const canWait = spec.kind !== 'sequence' && spec.kind !== 'state'
  if (canWait && hasBackfill(place, draft)) {
    draft.adding.push({ op: 'addField', ...place, spec: { ...spec, optional: true } })
    draft.tightening.push({ op: 'makeRequired', ...place })
    return
  }
  const ways = canWait ? `, or fill it: ${backfillHint(place)}` : ''
  draft.refusals.push(
    `Field '${placeName(place)}' is new and required, and the records already there have no value for it: make it optional or give it a default${ways}.`,
  )
}

function restoreField(place: FieldPlace, retired: StoredField, wanted: StoredField, draft: Draft): void {
  const name = placeName(place)
  if (retired.kind !== wanted.kind || retired.entity !== wanted.entity) {
    draft.refusals.push(
      `Field '${name}' was retired as ${retired.kind} and its column is still there: give the new field another name, or drop the old one first (plinth migrate --contract).`,
    )
    return
  }
  draft.retiring.push({ op: 'restoreField', ...place })
  if (wanted.kind === 'lines') return
  changeField(place, { ...retired, optional: true }, wanted, draft)
}

function changeField(place: FieldPlace, before: StoredField, spec: StoredField, draft: Draft): void {
  const name = placeName(place)
  const change = fieldChange(before, spec)
  switch (change) {
    case 'same':
      break
    case 'other kind':
      draft.refusals.push(
        `Field '${name}' was ${before.kind} and is now ${spec.kind}: its values would have to be converted. Add a new field instead, fill it from this one (plinth migrate --backfill), and drop this one (plinth migrate --drop ${name}).`,
      )
      return
    case 'other target':
      draft.refusals.push(
        `Field '${name}' referred to '${before.entity}' and now to '${spec.entity}': the stored ids would point at nothing. Add a new field instead.`,
      )
      return
    case 'made optional':
      draft.adding.push({ op: 'makeOptional', ...place })
      break
    case 'made required':
      makeRequired(place, spec, draft)
      break
  }
  const [was, is] = [before.unique ?? false, spec.unique ?? false]
  if (was !== is) draft.tightening.push({ op: is ? 'addUnique' : 'dropUnique', ...place })
}

function makeRequired(place: FieldPlace, spec: StoredField, draft: Draft): void {
  const name = placeName(place)
  const isFixed = spec.kind === 'sequence' || spec.kind === 'state'
  if (!isFixed && hasBackfill(place, draft)) {
    draft.tightening.push({ op: 'makeRequired', ...place })
    return
  }
  if (!isFixed && spec.default !== undefined && columnDefaults(place.field, spec) !== undefined) {
    draft.filling.push({ op: 'fillField', ...place, value: spec.default })
    draft.tightening.push({ op: 'makeRequired', ...place })
    return
  }
  const ways = isFixed ? 'Keep it as it was.' : `Give it a default, or fill it first: ${backfillHint(place)}.`
  draft.refusals.push(
    `Field '${name}' is now required: records already there may have no value for it. ${ways}`,
  )
}

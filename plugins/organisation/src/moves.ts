// Moving in a tree from a day on: the link of that day ends the day before, and a new one goes on where it would have.

import { addDays, type CivilDate } from '@plinth/sdk'
import { refuse } from './refuse.ts'

interface DatedRow {
  readonly id: string
  readonly validFrom: CivilDate
  readonly validTo?: CivilDate | undefined
}

/** The links of one child, as records. */
export interface Links<Parent> {
  readonly all: AsyncIterable<DatedRow>
  create(link: {
    readonly parent: Parent
    readonly validFrom: CivilDate
    readonly validTo?: CivilDate
  }): Promise<unknown>
  change(id: string, changes: { readonly parent?: Parent; readonly validTo?: CivilDate }): Promise<unknown>
  delete(id: string): Promise<unknown>
}

/** Without a parent it becomes a root. What was planned for later stays. */
export async function moveFrom<Parent>(
  on: CivilDate,
  parent: Parent | undefined,
  lifetime: {
    readonly validFrom: CivilDate
    readonly validTo?: CivilDate | undefined
    readonly code: string
  },
  links: Links<Parent>,
): Promise<void> {
  let current: DatedRow | undefined
  let next: DatedRow | undefined
  for await (const link of links.all) {
    if (link.validFrom <= on && (link.validTo ?? on) >= on) current = link
    else if (link.validFrom > on && (!next || link.validFrom < next.validFrom)) next = link
  }
  if (current?.validFrom === on) {
    await (parent === undefined ? links.delete(current.id) : links.change(current.id, { parent }))
    return
  }
  if (current) await links.change(current.id, { validTo: addDays(on, -1) })
  if (parent === undefined) return
  const last = current ? current.validTo : next ? addDays(next.validFrom, -1) : lifetime.validTo
  if (last !== undefined && last < on) refuse('PERIOD_REVERSED', { from: on, to: last, field: 'on' })
  await links.create({ parent, validFrom: on, ...(last === undefined ? {} : { validTo: last }) })
}

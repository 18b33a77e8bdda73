// Days from one to another, both included. Civil dates are texts that sort as they follow each other.

import type { CivilDate } from '@plinth/sdk'
import { refuse } from './refuse.ts'

export interface Period {
  readonly from: CivilDate
  readonly to: CivilDate
}

/** Stands for "goes on": later than any day that can be entered. */
export const forever: CivilDate = '9999-12-31'

interface Dated {
  readonly validFrom: CivilDate
  readonly validTo?: CivilDate | undefined
}

/** @throws PERIOD_REVERSED when it would end before it begins */
export function periodOf({ validFrom, validTo = forever }: Dated): Period {
  if (validTo < validFrom) refuse('PERIOD_REVERSED', { from: validFrom, to: validTo, field: 'validTo' })
  return { from: validFrom, to: validTo }
}

/** The days that are in both; undefined when there are none. */
export function intersection(a: Period, b: Period): Period | undefined {
  const [, from = a.from] = [a.from, b.from].sort()
  const [to = a.to] = [a.to, b.to].sort()
  return from <= to ? { from, to } : undefined
}

export const contains = (outer: Period, inner: Period): boolean =>
  outer.from <= inner.from && inner.to <= outer.to

/** The most of `periods` that hold on one day of `within`. */
export function mostAtOnce(periods: readonly Period[], within: Period): number {
  const inside = periods.flatMap((period) => intersection(period, within) ?? [])
  // The number only grows on a day on which a period begins.
  const counts = inside.map(
    ({ from: day }) => inside.filter(({ from, to }) => from <= day && day <= to).length,
  )
  return Math.max(0, ...counts)
}

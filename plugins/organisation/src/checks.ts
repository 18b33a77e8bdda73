// What must hold before a record is stored, whoever stores it: the hooks of the plugin. Each takes its turn on the tree
// first, so that what it sees stays so until it has committed; always units before positions, or two could wait in a
// circle.

import type { CivilDate } from '@plinth/sdk'
import { deepest, judgeLink, type Link } from './dated-tree.ts'
import { contains, intersection, mostAtOnce, type Period, periodOf } from './periods.ts'
import { refuse } from './refuse.ts'
import { number, text } from './rows.ts'
import { type DatedTree, positionTree, type Sql, unitTree } from './trees.ts'

interface Dated {
  readonly id?: string
  readonly validFrom: CivilDate
  readonly validTo?: CivilDate | undefined
}

/** What a record has before it is stored and can be no other's id. */
const unstored = '00000000-0000-0000-0000-000000000000'

async function checkWithin(
  tree: DatedTree,
  inner: Period,
  nodes: Readonly<Record<string, string>>,
): Promise<void> {
  const lifetimes = await tree.lifetimesOf(Object.values(nodes))
  for (const [field, id] of Object.entries(nodes)) {
    const lifetime = lifetimes.find((one) => one.id === id)
    if (!lifetime) refuse('NODE_UNKNOWN', { id, field })
    const { code, from: validFrom, to: validTo } = lifetime
    if (!contains(lifetime, inner)) refuse('PERIOD_OUTSIDE', { ...inner, code, validFrom, validTo, field })
  }
}

async function checkLink(tree: DatedTree, link: Link): Promise<void> {
  const judgement = await judgeLink(tree.linksOf, link)
  if (judgement.fits) return
  switch (judgement.reason) {
    case 'overlap': {
      const { from, to } = judgement.with
      return refuse('LINK_OVERLAPS', { from, to, field: 'validFrom' })
    }
    case 'circle':
      return refuse('LINK_CLOSES_CIRCLE', { on: judgement.on })
    case 'depth':
      return refuse('TREE_TOO_DEEP', { most: deepest })
  }
}

/** What hangs on a unit or position must still be within its days. */
async function checkUses(tree: DatedTree, id: string, days: Period): Promise<void> {
  for (const { what, from, to } of await tree.usesOf(id)) {
    const field = from < days.from ? 'validFrom' : 'validTo'
    if (!contains(days, { from, to })) refuse('PERIOD_IN_USE', { what, from, to, field })
  }
}

export async function checkUnit(ctx: Sql, { id, ...dates }: Dated): Promise<void> {
  const days = periodOf(dates)
  if (id === undefined) return
  const tree = unitTree(ctx)
  await tree.takeTurn()
  await checkUses(tree, id, days)
}

export async function checkPlacement(
  ctx: Sql,
  { id = unstored, unit, parent, ...dates }: Dated & { readonly unit: string; readonly parent: string },
): Promise<void> {
  const days = periodOf(dates)
  const tree = unitTree(ctx)
  await tree.takeTurn()
  await checkWithin(tree, days, { unit, parent })
  await checkLink(tree, { id, child: unit, parent, ...days })
}

export async function checkPosition(
  ctx: Sql,
  {
    id,
    unit,
    seats,
    ...dates
  }: Dated & { readonly unit: string; readonly seats: number; readonly code: string },
): Promise<void> {
  const days = periodOf(dates)
  const units = unitTree(ctx)
  await units.takeTurn()
  await checkWithin(units, days, { unit })
  if (id === undefined) return
  const positions = positionTree(ctx)
  await positions.takeTurn()
  await checkUses(positions, id, days)
  const held = await holdersOf(ctx, id)
  if (mostAtOnce(held, days) > seats) refuse('POSITION_FULL', { code: dates.code, seats, field: 'seats' })
}

export async function checkReportingLine(
  ctx: Sql,
  {
    id = unstored,
    position,
    manager,
    ...dates
  }: Dated & { readonly position: string; readonly manager: string },
): Promise<void> {
  const days = periodOf(dates)
  const tree = positionTree(ctx)
  await tree.takeTurn()
  await checkWithin(tree, days, { position, manager })
  await checkLink(tree, { id, child: position, parent: manager, ...days })
}

interface Holding extends Period {
  readonly id: string
  readonly person: string
}

async function holdersOf({ sql }: Sql, position: string): Promise<readonly Holding[]> {
  const rows = await sql`
    select held.id, held.person, held.valid_from as starts, coalesce(held.valid_to, '9999-12-31') as ends
    from assignment as held where held.position = ${position}`
  return rows.map((row) => ({
    id: text(row, 'id'),
    person: text(row, 'person'),
    from: text(row, 'starts'),
    to: text(row, 'ends'),
  }))
}

export async function checkAssignment(
  ctx: Sql,
  {
    id = unstored,
    position,
    person,
    ...dates
  }: Dated & { readonly position: string; readonly person: string },
): Promise<void> {
  const days = periodOf(dates)
  const tree = positionTree(ctx)
  await tree.takeTurn()
  await checkWithin(tree, days, { position })
  const [seat] = await ctx.sql`select seat.code, seat.seats from position as seat where seat.id = ${position}`
  if (!seat) refuse('NODE_UNKNOWN', { id: position, field: 'position' })
  const code = text(seat, 'code')
  const others = (await holdersOf(ctx, position)).filter((held) => held.id !== id)
  if (others.some((held) => held.person === person && intersection(held, days)))
    refuse('PERSON_ASSIGNED', { code, field: 'person' })
  const seats = number(seat, 'seats')
  if (mostAtOnce(others, days) >= seats) refuse('POSITION_FULL', { code, seats, field: 'position' })
}

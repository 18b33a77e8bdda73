// Questions about positions and who holds them on one day.

import type { CivilDate, SqlRow } from '@plinth/sdk'
import { inTreeOrder } from './dated-tree.ts'
import { number, text, textOrNull } from './rows.ts'
import type { Sql } from './trees.ts'

/** Everybody who reports to the person, directly or through others, and not the person. */
export async function teamOf({ sql }: Sql, person: string, on: CivilDate): Promise<readonly string[]> {
  const rows = await sql`
    with recursive under (id, depth) as (
      select held.position, 0 from assignment as held
      where held.person = ${person} and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
      union
      select link.position, under.depth + 1
      from reporting_line as link join under on link.manager = under.id
      where link.valid_from <= ${on} and coalesce(link.valid_to, ${on}) >= ${on} and under.depth < 100
    )
    select distinct held.person
    from assignment as held join under on under.id = held.position and under.depth > 0
    where held.person <> ${person} and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
    order by held.person`
  return rows.map((row) => text(row, 'person'))
}

export async function positionsOf({ sql }: Sql, person: string, on: CivilDate): Promise<readonly string[]> {
  const rows = await sql`
    select held.position from assignment as held
    where held.person = ${person} and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
    order by held.position`
  return rows.map((row) => text(row, 'position'))
}

export async function holdersOf({ sql }: Sql, position: string, on: CivilDate): Promise<readonly string[]> {
  const rows = await sql`
    select held.person from assignment as held
    where held.position = ${position} and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
    order by held.person`
  return rows.map((row) => text(row, 'person'))
}

/** The positions above a person's own, nearest first, each with its holders. */
export async function superiorsOf({ sql }: Sql, person: string, on: CivilDate) {
  const rows = await sql`
    with recursive above (id, level) as (
      select held.position, 0 from assignment as held
      where held.person = ${person} and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
      union
      select link.manager, above.level + 1
      from reporting_line as link join above on link.position = above.id
      where link.valid_from <= ${on} and coalesce(link.valid_to, ${on}) >= ${on} and above.level < 100
    )
    select above.id, min(above.level) as level, held.person
    from above left join assignment as held on held.position = above.id
      and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
    where above.level > 0
    group by above.id, held.person order by min(above.level), above.id, held.person`
  const positions = Map.groupBy(rows, (row) => text(row, 'id'))
  return [...positions].map(([position, holders]) => ({
    position,
    level: Math.min(...holders.map((row) => number(row, 'level'))),
    people: holders.flatMap((row) => textOrNull(row, 'person') ?? []),
  }))
}

/** Every position that is valid on the day with its unit and who holds it, managers first. */
export async function chartOn({ sql }: Sql, on: CivilDate, root?: string) {
  const rows = await sql`
    select seat.id, seat.code, seat.title, seat.unit, link.manager as parent,
      coalesce(string_agg(held.person, ' ' order by held.person), '') as people
    from position as seat
    left join reporting_line as link
      on link.position = seat.id and link.valid_from <= ${on} and coalesce(link.valid_to, ${on}) >= ${on}
    left join assignment as held
      on held.position = seat.id and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
    where seat.valid_from <= ${on} and coalesce(seat.valid_to, ${on}) >= ${on}
    group by seat.id, seat.code, seat.title, seat.unit, link.manager
    order by seat.code`
  const position = (row: SqlRow) => ({
    id: text(row, 'id'),
    code: text(row, 'code'),
    title: text(row, 'title'),
    unit: text(row, 'unit'),
    parent: textOrNull(row, 'parent'),
    people: text(row, 'people')
      .split(' ')
      .filter((person) => person !== ''),
  })
  return inTreeOrder(rows.map(position), root)
}

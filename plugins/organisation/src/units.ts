// Questions about units on one day.

import type { CivilDate } from '@plinth/sdk'
import { inTreeOrder } from './dated-tree.ts'
import { number, text, textOrNull } from './rows.ts'
import type { Sql } from './trees.ts'

export interface UnitOn {
  readonly id: string
  readonly code: string
  readonly name: string
  readonly kind: string
  readonly parent: string | null
}

/** Every unit that is valid on the day, parents first; below `root` when one is named. */
export async function treeOn({ sql }: Sql, on: CivilDate, root?: string) {
  const rows = await sql`
    select unit.id, unit.code, unit.name, unit.kind, link.parent
    from unit left join placement as link
      on link.unit = unit.id and link.valid_from <= ${on} and coalesce(link.valid_to, ${on}) >= ${on}
    where unit.valid_from <= ${on} and coalesce(unit.valid_to, ${on}) >= ${on}
    order by unit.code`
  const units = rows.map(
    (row): UnitOn => ({
      id: text(row, 'id'),
      code: text(row, 'code'),
      name: text(row, 'name'),
      kind: text(row, 'kind'),
      parent: textOrNull(row, 'parent'),
    }),
  )
  return inTreeOrder(units, root)
}

/** From the root to the unit. */
export async function pathOn({ sql }: Sql, unit: string, on: CivilDate): Promise<readonly string[]> {
  const rows = await sql`
    with recursive above (id, height) as (
      select unit.id, 0 from unit
      where unit.id = ${unit} and unit.valid_from <= ${on} and coalesce(unit.valid_to, ${on}) >= ${on}
      union all
      select link.parent, above.height + 1
      from placement as link join above on link.unit = above.id
      where link.valid_from <= ${on} and coalesce(link.valid_to, ${on}) >= ${on} and above.height < 100
    )
    select above.id, above.height from above order by above.height desc`
  return rows.map((row) => text(row, 'id'))
}

/** The units in which a person holds a position, and these with all below them. */
export async function unitsOf({ sql }: Sql, person: string, on: CivilDate) {
  const rows = await sql`
    with recursive mine (id, depth) as (
      select seat.unit, 0 from assignment as held join position as seat on seat.id = held.position
      where held.person = ${person} and held.valid_from <= ${on} and coalesce(held.valid_to, ${on}) >= ${on}
      union
      select link.unit, mine.depth + 1
      from placement as link join mine on link.parent = mine.id
      where link.valid_from <= ${on} and coalesce(link.valid_to, ${on}) >= ${on} and mine.depth < 100
    )
    select mine.id, min(mine.depth) as depth from mine group by mine.id order by mine.id`
  return {
    own: rows.filter((row) => number(row, 'depth') === 0).map((row) => text(row, 'id')),
    below: rows.map((row) => text(row, 'id')),
  }
}

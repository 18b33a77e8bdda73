// The two trees as their rows: units by placements, positions by reporting lines. They are read with SQL and not as
// records: a rule of the tree holds whatever the person who changes it may see of it.

import type { Granted, SqlRow } from '@plinth/sdk'
import type { Link, LoadLinks } from './dated-tree.ts'
import type { Period } from './periods.ts'
import { text } from './rows.ts'

/** The part of `ctx` that reads and writes with SQL. */
export type Sql = Granted<{ readonly sql: 'write' }>

/** A unit or a position, as far as links need it. */
export interface Lifetime extends Period {
  readonly id: string
  readonly code: string
}

/** Something that holds on days, by what a person would call it. */
export interface Use extends Period {
  readonly what: string
}

export interface DatedTree {
  /** Whoever comes second waits for the first to have committed, and then sees what it did. */
  takeTurn(): Promise<unknown>
  readonly linksOf: LoadLinks
  lifetimesOf(ids: readonly string[]): Promise<readonly Lifetime[]>
  /** What could be left hanging in the air when the node is given other dates. */
  usesOf(id: string): Promise<readonly Use[]>
}

const period = (row: SqlRow) => ({ from: text(row, 'starts'), to: text(row, 'ends') })
const link = (row: SqlRow): Link => ({
  id: text(row, 'id'),
  child: text(row, 'child'),
  parent: text(row, 'parent'),
  ...period(row),
})
const lifetime = (row: SqlRow): Lifetime => ({ id: text(row, 'id'), code: text(row, 'code'), ...period(row) })
const use = (row: SqlRow): Use => ({ what: text(row, 'what'), ...period(row) })

export const unitTree = ({ sql }: Sql): DatedTree => ({
  // Setting the name to what it is locks the row, and makes it where there is none.
  takeTurn: () =>
    sql`insert into tree (name) values ('units') on conflict (name) do update set name = excluded.name`,
  linksOf: async (children) =>
    (
      await sql`
        select link.id, link.unit as child, link.parent, link.valid_from as starts,
          coalesce(link.valid_to, '9999-12-31') as ends
        from placement as link where link.unit = any(${children})`
    ).map(link),
  lifetimesOf: async (ids) =>
    (
      await sql`
        select unit.id, unit.code, unit.valid_from as starts, coalesce(unit.valid_to, '9999-12-31') as ends
        from unit where unit.id = any(${ids})`
    ).map(lifetime),
  usesOf: async (id) =>
    (
      await sql`
        select 'A placement' as what, link.valid_from as starts, coalesce(link.valid_to, '9999-12-31') as ends
        from placement as link where link.unit = ${id} or link.parent = ${id}
        union all
        select concat('The position ', seat.code), seat.valid_from, coalesce(seat.valid_to, '9999-12-31')
        from position as seat where seat.unit = ${id}`
    ).map(use),
})

export const positionTree = ({ sql }: Sql): DatedTree => ({
  takeTurn: () =>
    sql`insert into tree (name) values ('positions') on conflict (name) do update set name = excluded.name`,
  linksOf: async (children) =>
    (
      await sql`
        select link.id, link.position as child, link.manager as parent, link.valid_from as starts,
          coalesce(link.valid_to, '9999-12-31') as ends
        from reporting_line as link where link.position = any(${children})`
    ).map(link),
  lifetimesOf: async (ids) =>
    (
      await sql`
        select seat.id, seat.code, seat.valid_from as starts, coalesce(seat.valid_to, '9999-12-31') as ends
        from position as seat where seat.id = any(${ids})`
    ).map(lifetime),
  usesOf: async (id) =>
    (
      await sql`
        select 'A reporting line' as what, link.valid_from as starts, coalesce(link.valid_to, '9999-12-31') as ends
        from reporting_line as link where link.position = ${id} or link.manager = ${id}
        union all
        select 'An assignment', held.valid_from, coalesce(held.valid_to, '9999-12-31')
        from assignment as held where held.position = ${id}`
    ).map(use),
})

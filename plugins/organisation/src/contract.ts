// What other plugins may import: `use<Organisation>('^0.1')`. Types alone; no code of this plugin runs elsewhere.

import type { CivilDate, Id } from '@plinth/sdk'

type Unit = Id<'organisation.unit'>
type Position = Id<'organisation.position'>

/** A position on a person's way up, with who holds it. */
export interface Superior {
  readonly position: Position
  /** 1 is to whom one reports, 2 to whom he reports. */
  readonly level: number
  readonly people: readonly string[]
}

/** Each asks about one day: today unless `on` is given. People are ids of members of the tenant. */
export type Organisation = {
  services: {
    /** The units in which a person holds a position, and these with all below them. */
    unitsOf(input: {
      readonly person: string
      readonly on?: CivilDate | undefined
    }): Promise<{ readonly own: readonly Unit[]; readonly below: readonly Unit[] }>
    /** Everybody who reports to the person, directly or through others. */
    teamOf(input: {
      readonly person: string
      readonly on?: CivilDate | undefined
    }): Promise<{ readonly people: readonly string[] }>
    /** The positions that a person holds. */
    positionsOf(input: {
      readonly person: string
      readonly on?: CivilDate | undefined
    }): Promise<{ readonly positions: readonly Position[] }>
    /** Who holds a position. */
    holdersOf(input: {
      readonly position: Position
      readonly on?: CivilDate | undefined
    }): Promise<{ readonly people: readonly string[] }>
    /** The positions above a person's own, nearest first. One who holds several has the superiors of each. */
    superiorsOf(input: {
      readonly person: string
      readonly on?: CivilDate | undefined
    }): Promise<{ readonly superiors: readonly Superior[] }>
    /** From the root to the unit itself. Empty for a unit that is unknown or not valid on the day. */
    pathOf(input: {
      readonly unit: Unit
      readonly on?: CivilDate | undefined
    }): Promise<{ readonly units: readonly Unit[] }>
  }
}

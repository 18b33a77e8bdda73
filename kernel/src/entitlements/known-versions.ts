// What the versions of this installation need of each other: so that a refusal can say which of them would do.
import type { Manifest } from '@plinth/sdk'
import type pg from 'pg'
import semver from 'semver'
import { fits } from './fits.ts'

export interface KnownVersion {
  readonly module: string
  readonly version: string
  readonly uses: Manifest['uses']
}

/** One module's need of another that is not met. */
export interface Misfit {
  readonly user: string
  readonly used: string
  readonly range: string
}

/** A list that is longer says no more. */
const mostListed = 5

/** Inside a transaction or not. */
export type ReadRows = <Row extends pg.QueryResultRow>(
  text: string,
  values: readonly unknown[],
) => Promise<Row[]>

export const rowsOf =
  (database: Pick<pg.ClientBase, 'query'>): ReadRows =>
  async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
    (await database.query<Row>(text, [...values])).rows

export const readKnownVersions = (read: ReadRows): Promise<KnownVersion[]> =>
  read<KnownVersion & pg.QueryResultRow>(
    `SELECT module, version, coalesce(manifest -> 'uses', '{}') AS uses FROM kernel.plugin_version`,
    [],
  )

/** `What would do: 'visits' 1.1.0 or 1.0.0; 'desk' 2.0.0.` Highest first. `has`: the version of the used one, if there is one. */
export function whatWouldDo(known: readonly KnownVersion[], misfit: Misfit, has?: string): string {
  const { user, used, range } = misfit
  const listed = (module: string, would: (one: KnownVersion) => boolean): string[] => {
    const versions = known.filter((one) => one.module === module && would(one)).map((one) => one.version)
    const highest = semver.rsort([...new Set(versions)]).slice(0, mostListed)
    return highest.length === 0 ? [] : [`'${module}' ${highest.join(' or ')}`]
  }
  const found = [
    ...listed(used, (one) => fits(one.version, range)),
    ...(has === undefined ? [] : listed(user, (one) => isContent(one, used, has))),
  ]
  if (found.length > 0) return `What would do: ${found.join('; ')}.`
  return `No version of '${used}' in this installation would do: install one within ${range}.`
}

const isContent = ({ uses }: KnownVersion, used: string, version: string): boolean => {
  const use = uses[used]
  return use === undefined || fits(version, use.range)
}

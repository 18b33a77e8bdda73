// What the SQL of a plugin may name, touch and cost, from its manifest.
import type { Manifest } from '@plinth/sdk'
import { reportScope } from '../data/vet-sql/report-scope.ts'
import { writableTables } from '../data/vet-sql/write-scope.ts'
import type { SqlScope } from '../data/vet-sql.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'

/** The vetted text returns one row more at most, so that too many can be told from all. */
export const mostRows = 50_000
/** By one statement. */
export const mostRowsWritten = 10_000
const answerBytes = 8 * 1024 * 1024
const statementMs = 2_000

export function sqlScope({ name, entities, needs }: Manifest, off: DefencesOff = allStand): SqlScope {
  return {
    ...reportScope(name, entities, mostRows),
    maxWritten: mostRowsWritten,
    ...(needs.sql === 'write' ? { writable: writableTables(entities) } : {}),
    bounds: {
      bytes: off.has('sqlBytes') ? Number.POSITIVE_INFINITY : answerBytes,
      ms: off.has('sqlTime') ? Number.POSITIVE_INFINITY : statementMs,
      exceeded: (what, used, cap) => errors.limitExceeded({ module: name, limit: `sql ${what}`, used, cap }),
    },
  }
}

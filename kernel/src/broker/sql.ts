// Capability: one SELECT of the plugin over its own tables. The vetting decides first, then the plugin's role and
// forced row-level security decide again.
import type { Manifest } from '@plinth/sdk'
import Type from 'typebox'
import type { DatabaseFailure } from '../data/database-failure.ts'
import { prepared, rowsAsObjects } from '../data/statement.ts'
import { errors } from '../errors.ts'
import { capability } from './capability.ts'

/** The vetted text returns one row more at most: too many for the limit of rows, and not too many for memory. */
export const mostRows = 50_000
const longestText = 65_536
const mostValues = 1_000

function refuseUngranted(manifest: Manifest): void {
  if (manifest.needs.sql === undefined) {
    const reason = 'its manifest does not ask for needs.sql.'
    throw errors.capabilityDenied({ module: manifest.name, capability: 'sql.read', reason })
  }
}

/** PostgreSQL's own words could carry a value of a row the plugin may not see: it is told the SQLSTATE. */
const explain = (failure: DatabaseFailure) =>
  errors.sqlRefused(
    { reason: `PostgreSQL refused the statement with ${failure.code ?? 'an error'}.` },
    failure,
  )

const value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

export const sql = {
  'sql.read': capability(
    'sql.read',
    Type.Object(
      {
        text: Type.String({ maxLength: longestText }),
        values: Type.Array(Type.Union([value, Type.Array(value, { maxItems: 10_000 })]), {
          maxItems: mostValues,
        }),
      },
      { additionalProperties: false },
    ),
    async (work, input) => {
      const { manifest, role, vetSql } = work.plugin
      refuseUngranted(manifest)
      const { text } = vetSql(input.text)
      const statement = { ...prepared(text)(input.values), fromPlugin: true as const }
      const result = await work.unit.query(role, statement, explain)
      work.spending.spend(manifest.name, 'rowsRead', result.rows.length)
      // Where more may be read the vetted text still ends here, and nobody must take a part for the whole.
      if (result.rows.length > mostRows) {
        const used = result.rows.length
        throw errors.limitExceeded({ module: manifest.name, limit: 'sql rows', used, cap: mostRows })
      }
      return { rows: rowsAsObjects(result) }
    },
  ),
}

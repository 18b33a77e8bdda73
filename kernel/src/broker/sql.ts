// Capability: one SQL statement of the plugin over its own tables: a SELECT, or with `needs: { sql: 'write' }` also an
// INSERT, UPDATE or DELETE. The vetting decides first, then the plugin's role and forced row-level security decide again.
import type { Json } from '@plinth/sdk'
import Type, { type Static } from 'typebox'
import type { DatabaseFailure } from '../data/database-failure.ts'
import { rowsAsObjects } from '../data/statement.ts'
import type { VettedSql } from '../data/vet-sql.ts'
import { errors } from '../errors.ts'
import { capability } from './capability.ts'
import { mostRows, mostRowsWritten } from './sql-scope.ts'
import type { Work } from './work.ts'

const longestText = 16_384
const mostValues = 1_000

type Need = 'read' | 'write'

function refuseUngranted({ manifest }: Work['plugin'], need: Need): void {
  const { sql } = manifest.needs
  if (sql === 'write' || sql === need) return
  const wanted = need === 'read' ? 'needs.sql' : "needs.sql: 'write'"
  const reason = `its manifest does not ask for ${wanted}.`
  throw errors.capabilityDenied({ module: manifest.name, capability: `sql.${need}`, reason })
}

/** PostgreSQL's own words could carry a value of a row the plugin may not see: it is told the SQLSTATE. */
const explain = (failure: DatabaseFailure) =>
  errors.sqlRefused(
    { reason: `PostgreSQL refused the statement with ${failure.code ?? 'an error'}.` },
    failure,
  )

/** Vetting runs on the kernel's only thread: whoever sends ever new texts pays for it. */
function vet({ plugin, spending }: Work, text: string): VettedSql {
  const before = process.threadCpuUsage()
  try {
    return plugin.vetSql(text)
  } finally {
    const { user, system } = process.threadCpuUsage(before)
    spending.addCpu(plugin.manifest.name, (user + system) / 1000)
    spending.remaining(plugin.manifest.name)
  }
}

const value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])
const input = Type.Object(
  {
    text: Type.String({ maxLength: longestText }),
    values: Type.Array(Type.Union([value, Type.Array(value, { maxItems: 10_000 })]), {
      maxItems: mostValues,
    }),
  },
  { additionalProperties: false },
)

async function run(work: Work, need: Need, { text, values }: Static<typeof input>): Promise<Json> {
  const { manifest, role } = work.plugin
  refuseUngranted(work.plugin, need)
  const vetted = vet(work, text)
  if (need === 'read' && vetted.writes) throw errors.sqlRefused({ reason: 'only SELECT is allowed.' })
  const result = await work.unit.query(role, vetted.statement(values, work.actor.id), explain)
  work.spending.spend(manifest.name, 'rowsRead', result.rows.length)
  if (vetted.writes) work.spending.spend(manifest.name, 'rowsWritten', result.rowCount)
  // Where more may be read the vetted text still ends here, and nobody must take a part for the whole.
  const bounded = (limit: string, used: number, cap: number) => {
    if (used > cap) throw errors.limitExceeded({ module: manifest.name, limit, used, cap })
  }
  bounded('sql rows', result.rows.length, mostRows)
  if (vetted.writes) {
    bounded('sql rows written', result.rowCount, mostRowsWritten)
    work.unit.audit({
      module: manifest.name,
      entity: vetted.writes.entity,
      record: '',
      action: 'sql',
      before: null,
      after: { statement: vetted.text, rows: result.rowCount },
      ...(work.onBehalfOf === undefined ? {} : { onBehalfOf: work.onBehalfOf }),
    })
  }
  return { rows: rowsAsObjects(result) }
}

export const sql = {
  'sql.read': capability('sql.read', input, (work, given) => run(work, 'read', given)),
  'sql.write': capability('sql.write', input, (work, given) => run(work, 'write', given)),
}

// A plugin that gets release after release in a crash lab, and whether all of it is served.
import type { Test } from 'tap'
import type { CrashLab } from './crash-lab.ts'
import { visits } from './visits.ts'

const name = '@acme/visits'

export interface GrowingVisits {
  latest(): string
  /** The next release: with another field, or with a field under another name, which no version before can live with. */
  publish(change: 'field' | 'rename'): Promise<string>
  /** The tenant is served this version, with every record. */
  serves(t: Test, version: string): Promise<void>
}

/** Installed at 1.0.0, and switched on by the tenant. */
export async function growingVisits(lab: CrashLab): Promise<GrowingVisits> {
  const { database, releases, carriedOut, get, post } = lab
  let minor = 0
  let fields = ''
  let who = 'who'
  let records = 0
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  await carriedOut('install', { package: name })
  await post('/v1/tenant/modules', { module: 'visits' })
  const latest = () => `1.${minor}.0`
  return {
    latest,
    async publish(change) {
      minor += 1
      const before = who
      if (change === 'field') fields += `extra${minor}: t.text().optional(), `
      else who = `who${minor}`
      const wishes = before === who ? {} : { rename: [`visit.${before}=visit.${who}`] }
      await releases.publish({ name, version: latest(), source: visits(latest(), { fields, who }), wishes })
      return latest()
    },
    async serves(t, version) {
      t.match(await get('/v1/visits/version'), { status: 200, body: { version } })
      t.match(await post('/v1/visits/visits', { [who]: 'Ada' }), { status: 201 })
      records += 1
      const { body } = await get('/v1/visits/visits?limit=200')
      t.equal((body['items'] as unknown[]).length, records, 'every record is there')
      const { rows } = await database.admin.query('SELECT state, stable, candidate FROM kernel.plugin')
      t.same(rows, [{ state: 'active', stable: version, candidate: null }])
    },
  }
}

// First step of an installation and of an upgrade: the package is fetched, admitted, checked beside the modules that are
// there, and written down whole. What was written down already is not fetched again.
import type { Manifest } from '@plinth/sdk'
import pg from 'pg'
import type { PluginMigration } from '../data/plugin-migrations/operations.ts'
import { errors } from '../errors.ts'
import type { PluginCode } from '../registry/plugin-code.ts'
import {
  claimModule,
  readCode,
  readPlugin,
  readPlugins,
  readVersions,
  type VersionFacts,
  writeVersion,
} from '../registry/plugin-store.ts'
import type { Step } from './drive-operations.ts'
import type { LifecycleParts } from './lifecycle-parts.ts'
import { type Operation, remember } from './operation.ts'
import { unmetBy } from './unmet-needs.ts'

export interface Release {
  readonly module: string
  readonly manifest: Manifest
  readonly code: PluginCode
  readonly facts: Omit<VersionFacts, 'installedBy'>
  /** In this database before it was asked for. */
  readonly isKnown: boolean
}

export interface ReleaseRequest {
  /** Of an upgrade. */
  readonly module?: string
  readonly package?: string
  readonly version: string
  readonly integrity?: string
}

/** Finds a release, from the database or from the registry, and writes nothing. */
export async function findRelease(parts: LifecycleParts, request: ReleaseRequest): Promise<Release> {
  const { pool } = parts
  const row = request.module === undefined ? undefined : await readPlugin(pool, request.module)
  const versions = row ? await readVersions(pool, row.module) : []
  if (row && versions.some((one) => one.version === request.version)) {
    const code = await readCode(pool, row.module, request.version)
    const manifest = code.shippedManifest as Manifest
    return { module: row.module, manifest, code, facts: {}, isKnown: true }
  }
  const name = row?.package ?? request.package ?? ''
  const owners = new Map((await readPlugins(pool)).map((one) => [one.module, one.package]))
  const known = new Map(
    versions.flatMap((one) => (one.integrity === null ? [] : [[one.version, one.integrity]])),
  )
  const { integrity, version } = request
  const fetched = await parts.fetch({
    name,
    version,
    known,
    ...(integrity === undefined ? {} : { integrity }),
  })
  const { manifest, migrations } = await parts.admit(fetched, owners)
  if (row && manifest.name !== row.module) {
    throw errors.packageRefused({
      package: name,
      version: fetched.version,
      reason: 'module',
      detail: `It provides the module '${manifest.name}' and not '${row.module}'.`,
    })
  }
  return {
    module: manifest.name,
    manifest,
    code: {
      package: fetched.package,
      version: fetched.version,
      sdkRange: fetched.sdkRange,
      bundle: fetched.bundle,
      shippedManifest: JSON.parse(fetched.manifest),
      migrations: migrations as readonly PluginMigration[],
      source: 'registry',
      sourceMap: async () => fetched.sourceMap,
    },
    facts: {
      integrity: fetched.integrity,
      signatures: fetched.signatures,
      provenance: fetched.provenance,
    },
    isKnown: false,
  }
}

export function fetchStep(parts: LifecycleParts): Step {
  const { pool } = parts
  return {
    name: 'fetch',
    async run(operation) {
      const release = await findRelease(parts, requestOf(operation))
      const { module, code, manifest } = release
      const row = await readPlugin(pool, module)
      if (operation.kind === 'install' && row && row.state !== 'installing')
        throw errors.pluginInstalled({ module, package: row.package })
      const { channel } = operation.options
      const unmet = await unmetBy(parts, { module, version: code.version, uses: manifest.uses }, channel)
      if (unmet.length > 0) throw errors.moduleNeeds({ module, needs: unmet })
      await inTransaction(parts, async (client) => {
        const owner = await claimModule(client, module, code.package)
        if (owner !== code.package) throw errors.pluginInstalled({ module, package: owner })
        if (!release.isKnown)
          await writeVersion(client, module, code, manifest, {
            ...release.facts,
            installedBy: operation.startedBy,
          })
        await client
          .query('UPDATE kernel.plugin_operation SET module = $2, version = $3 WHERE id = $1', [
            operation.id,
            module,
            code.version,
          ])
          .catch((error: unknown) => {
            throw isTaken(error) ? errors.operationUnderWay({ subject: module }) : error
          })
        await remember(client, operation, { fetched: !release.isKnown, ...release.facts })
      })
      return undefined
    },
    /**
     * Only what this operation brought and nobody is served. Where its migrations have begun it stays: it says what the
     * tables have become.
     */
    async undo({ kind, module, version, data, done }) {
      if (module === null) return
      const isTrace = kind === 'install' || !done.includes('hold')
      if (data['fetched'] === true && isTrace)
        await pool.query(
          `DELETE FROM kernel.plugin_version v USING kernel.plugin p
            WHERE v.module = $1 AND v.version = $2 AND v.source = 'registry' AND p.module = v.module
              AND v.version NOT IN (coalesce(p.stable, ''), coalesce(p.beta, ''), coalesce(p.previous, ''))
              AND NOT EXISTS (SELECT FROM kernel.tenant_module m WHERE m.module = v.module AND m.pinned = v.version)`,
          [module, version],
        )
      await pool.query(
        `DELETE FROM kernel.plugin WHERE module = $1 AND state = 'installing' AND stable IS NULL`,
        [module],
      )
    },
  }
}

/** unique_violation: another operation has the module. */
const isTaken = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '23505'

const requestOf = ({ kind, module, package: name, version, options }: Operation): ReleaseRequest => ({
  version: version ?? 'latest',
  ...(kind === 'install' || module === null ? {} : { module }),
  ...(name === null ? {} : { package: name }),
  ...(options.integrity === undefined ? {} : { integrity: options.integrity }),
})

async function inTransaction(
  { pool }: LifecycleParts,
  work: (client: pg.PoolClient) => Promise<void>,
): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

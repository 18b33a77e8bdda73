// The secrets that a tenant gave to its modules: set and removed by its admins, opened for a fetch, shown to nobody.

import type { Manifest } from '@plinth/sdk'
import type pg from 'pg'
import { auditedBy } from '../audit/write-audit.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { Seal } from './seal.ts'

export interface SecretState {
  readonly name: string
  readonly title: string
  readonly host: string
  /** For this host: a value that was given for another one is not sent here. */
  readonly isSet: boolean
  /** The host it was given for, where the version that is served names another. */
  readonly setFor?: string
  readonly setAt?: string
  readonly setBy?: string
}

export interface ModuleSecrets {
  /**
   * The values of those that are set for the hosts that the manifest names, by name. Read anew each time: nothing keeps
   * them in memory.
   */
  read(tenantId: string, manifest: Manifest, names: readonly string[]): Promise<ReadonlyMap<string, string>>
  list(tenantId: string, manifest: Manifest): Promise<readonly SecretState[]>
  /** @throws SECRET_NOT_FOUND for a name the manifest does not declare, MODULE_NOT_ENABLED, VALIDATION_FAILED */
  set(by: Located, manifest: Manifest, name: string, value: string): Promise<void>
  /** @throws SECRET_NOT_FOUND when it is not set */
  remove(by: Located, module: string, name: string): Promise<void>
}

interface SecretRow {
  name: string
  host: string
  sealed: Buffer
  set_at: Date
  set_by: string
}

const auditOf = (by: Located, module: string, name: string, action: 'set' | 'removed') => ({
  tenantId: by.tenant.id,
  ...auditedBy(by),
  entity: 'secret',
  recordId: `${module}.${name}`,
  action,
})

export function createModuleSecrets(
  pool: pg.Pool,
  runControl: RunControl,
  seal: Seal,
  off: DefencesOff = allStand,
): ModuleSecrets {
  const isFor = (host: string, row: SecretRow) => row.host === host || off.has('hostGrant')
  return {
    async read(tenantId, { name: module, needs: { secrets = {} } }, names) {
      if (names.length === 0) return new Map()
      const { rows } = await pool.query<SecretRow>(
        'SELECT name, host, sealed FROM kernel.module_secret WHERE tenant_id = $1 AND module = $2 AND name = ANY($3)',
        [tenantId, module, names],
      )
      return new Map(
        rows
          .filter((row) => isFor(secrets[row.name]?.host ?? '', row))
          .map(({ name, host, sealed }) => [name, seal.open(sealed, [tenantId, module, name, host])]),
      )
    },
    async list(tenantId, manifest) {
      const { rows } = await pool.query<SecretRow>(
        'SELECT name, host, set_at, set_by FROM kernel.module_secret WHERE tenant_id = $1 AND module = $2',
        [tenantId, manifest.name],
      )
      return Object.entries(manifest.needs.secrets ?? {}).map(([name, { title, host }]) => {
        const row = rows.find((one) => one.name === name)
        const set = row ? { setAt: row.set_at.toISOString(), setBy: row.set_by } : {}
        const isSet = row !== undefined && isFor(host, row)
        return { name, title, host, isSet, ...(row && !isSet ? { setFor: row.host } : {}), ...set }
      })
    },
    async set(by, manifest, name, value) {
      const module = manifest.name
      const { secrets = {} } = manifest.needs
      const spec = Object.hasOwn(secrets, name) ? secrets[name] : undefined
      if (!spec) throw errors.secretNotFound({ module, secret: name })
      const { host } = spec
      // Half a character has no form in a URL or in UTF-8, and is never what was meant.
      if (!value.isWellFormed())
        throw errors.validation({
          errors: [{ field: 'value', code: 'INVALID', message: 'is not well-formed text' }],
        })
      const sealed = seal.close(value, [by.tenant.id, module, name, host])
      await runControl(async (tx) => {
        const enabled = await tx.query(
          'SELECT 1 FROM kernel.tenant_module WHERE tenant_id = $1 AND module = $2 FOR SHARE',
          [by.tenant.id, module],
        )
        if (enabled.length === 0) throw errors.moduleNotEnabled({ module })
        await tx.query(
          `INSERT INTO kernel.module_secret (tenant_id, module, name, host, sealed, set_by) VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (tenant_id, module, name)
           DO UPDATE SET host = excluded.host, sealed = excluded.sealed, set_by = excluded.set_by, set_at = now()`,
          [by.tenant.id, module, name, host, sealed, by.actor.id],
        )
        await tx.audit(auditOf(by, module, name, 'set'))
      })
    },
    async remove(by, module, name) {
      await runControl(async (tx) => {
        const removed = await tx.query(
          'DELETE FROM kernel.module_secret WHERE tenant_id = $1 AND module = $2 AND name = $3 RETURNING name',
          [by.tenant.id, module, name],
        )
        if (removed.length === 0) throw errors.secretNotFound({ module, secret: name })
        await tx.audit(auditOf(by, module, name, 'removed'))
      })
    },
  }
}

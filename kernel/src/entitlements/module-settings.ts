// What a tenant has set in a module, over the plugin's defaults. Fields are declared in the manifest.

import type { Json, Manifest } from '@plinth/sdk'
import { auditedBy } from '../audit/write-audit.ts'
import { parseRecord } from '../data/field-kinds/parse-fields.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located, Tenant } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'

type Settings = Readonly<Record<string, Json>>

/** Settings as a handler sees them. What was set and is no longer declared is left out. */
export const settingsOf = (tenant: Tenant, manifest: Manifest): Settings =>
  withDefaults(manifest, tenant.settings.get(manifest.name) ?? {})

function withDefaults(manifest: Manifest, set: Settings): Settings {
  return Object.fromEntries(
    Object.entries(manifest.settings).flatMap(([name, spec]) => {
      const value = set[name] ?? spec.default
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/**
 * Answers with what is set from now on. `check` is given what is to be set, `expect` what was set before, defaults included;
 * both may refuse. @throws VALIDATION_FAILED naming the setting
 */
export async function changeSettings(
  runControl: RunControl,
  plugin: LoadedPlugin,
  by: Located,
  body: unknown,
  check: (values: Settings) => Promise<void>,
  expect: (before: Settings) => void = () => undefined,
): Promise<Settings> {
  const module = plugin.manifest.name
  const { values } = parseRecord(plugin.manifest.settings, body, 'patch')
  await check(values)
  return runControl(async (tx) => {
    await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [by.tenant.id])
    const [row] = await tx.query<{ settings: Settings }>(
      'SELECT settings FROM kernel.module_setting WHERE tenant_id = $1 AND module = $2',
      [by.tenant.id, module],
    )
    const before = row?.settings ?? {}
    expect(withDefaults(plugin.manifest, before))
    const after = Object.fromEntries(
      Object.entries({ ...before, ...values }).filter(([, value]) => value !== null),
    )
    await tx.query(
      `INSERT INTO kernel.module_setting (tenant_id, module, settings) VALUES ($1, $2, $3)
       ON CONFLICT (tenant_id, module) DO UPDATE SET settings = excluded.settings`,
      [by.tenant.id, module, JSON.stringify(after)],
    )
    await tx.audit({
      tenantId: by.tenant.id,
      ...auditedBy(by),
      entity: 'settings',
      recordId: module,
      action: 'changed',
      before,
      after,
    })
    await tx.announce({ kind: 'tenant', id: by.tenant.id })
    return withDefaults(plugin.manifest, after)
  })
}

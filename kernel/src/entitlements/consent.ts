// What a module asks for beyond the tenant's own records, and what the tenant lets it have. Nothing is let by default,
// and a new version that asks for more gets what was let before.

import type { Manifest } from '@plinth/sdk'
import { auditedBy } from '../audit/write-audit.ts'
import { errors, type FieldError } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Consent, Located, Tenant } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { ModuleSwitcher } from './switch-module.ts'

export interface GivenConsent {
  readonly http: readonly string[]
}

export interface ConsentView extends GivenConsent {
  /** Asked for and not let. */
  readonly missing: readonly string[]
  readonly changedAt?: string
  readonly changedBy?: string
}

/** As the marketplace and a refusal show it. */
export const asksOf = ({ needs }: Manifest) => ({
  http: [...(needs.http ?? [])],
  ...(needs.sql ? { sql: needs.sql } : {}),
  ...(needs.approvals ? { approvals: true } : {}),
  ...(needs.secrets
    ? { secrets: Object.entries(needs.secrets).map(([name, secret]) => ({ name, ...secret })) }
    : {}),
})

const hostsAsked = (plugin: LoadedPlugin): readonly string[] => plugin.manifest.needs.http ?? []

/** Undefined for a module that asks for nothing and was let nothing. */
export function consentView(
  tenant: Tenant,
  module: string,
  plugin: LoadedPlugin | undefined,
): ConsentView | undefined {
  const consent = tenant.consents.get(module)
  const asked = plugin ? hostsAsked(plugin) : []
  if (!consent && asked.length === 0) return undefined
  const http = consent?.http ?? []
  return {
    http,
    missing: asked.filter((host) => !http.includes(host)),
    ...(consent
      ? { changedAt: new Date(consent.changedAt).toISOString(), changedBy: consent.changedBy }
      : {}),
  }
}

/** @throws VALIDATION_FAILED naming what the module does not ask for, and what is there twice */
function checkGiven(asked: readonly string[], given: GivenConsent, path: string): void {
  const wrong = given.http.flatMap((host, at): FieldError[] => {
    const field = `${path}.${at}`
    if (!asked.includes(host))
      return [{ field, code: 'NOT_ASKED_FOR', message: `'${host}' is no host that the module asks for.` }]
    return given.http.indexOf(host) === at
      ? []
      : [{ field, code: 'TWICE', message: `'${host}' is there twice.` }]
  })
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
}

/** Enabling takes consent to all that is asked. @throws CONSENT_REQUIRED, VALIDATION_FAILED */
export async function consentToAll(
  tx: ControlTransaction,
  by: ModuleSwitcher,
  plugin: LoadedPlugin,
  given: GivenConsent = { http: [] },
): Promise<void> {
  const asked = hostsAsked(plugin)
  checkGiven(asked, given, 'consent.http')
  if (asked.some((host) => !given.http.includes(host)))
    throw errors.consentRequired({ module: plugin.manifest.name, asks: asksOf(plugin.manifest) })
  if (asked.length > 0) await writeConsent(tx, by, plugin.manifest.name, given)
}

async function writeConsent(
  tx: ControlTransaction,
  by: ModuleSwitcher,
  module: string,
  given: GivenConsent,
  before?: Pick<Consent, 'http'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO kernel.module_consent (tenant_id, module, http, changed_by) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, module)
     DO UPDATE SET http = excluded.http, changed_by = excluded.changed_by, changed_at = now()`,
    [by.tenant.id, module, given.http, by.actor.id],
  )
  await tx.audit({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'consent',
    recordId: module,
    action: 'changed',
    ...(before ? { before: { http: before.http } } : {}),
    after: { http: given.http },
  })
}

/**
 * Gives or withdraws: what is not in `given` is withdrawn. `expect` is given what there was before, and may refuse.
 * @throws MODULE_NOT_ENABLED, VALIDATION_FAILED
 */
export async function changeConsent(
  runControl: RunControl,
  plugin: LoadedPlugin,
  by: Located,
  given: GivenConsent,
  expect: (before: Consent | undefined) => void = () => undefined,
): Promise<void> {
  const module = plugin.manifest.name
  checkGiven(hostsAsked(plugin), given, 'http')
  await runControl(async (tx) => {
    const [enabled] = await tx.query(
      'SELECT module FROM kernel.tenant_module WHERE tenant_id = $1 AND module = $2 FOR UPDATE',
      [by.tenant.id, module],
    )
    if (!enabled) throw errors.moduleNotEnabled({ module })
    const [before] = await tx.query<{ http: string[]; changed_at: Date; changed_by: string }>(
      'SELECT http, changed_at, changed_by FROM kernel.module_consent WHERE tenant_id = $1 AND module = $2',
      [by.tenant.id, module],
    )
    expect(
      before && {
        http: before.http,
        changedAt: before.changed_at.toISOString(),
        changedBy: before.changed_by,
      },
    )
    await writeConsent(tx, by, module, given, before ?? { http: [] })
    await tx.announce({ kind: 'tenant', id: by.tenant.id })
  })
}

// A tenant's connection to its identity provider, as its admins set it. The client secret goes in and never comes out.
import { auditedBy } from '../../audit/write-audit.ts'
import type { DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import type { Place, Seal } from '../../outside/seal.ts'
import { lockAccess } from '../../permissions/lock-access.ts'
import type { ModulesOf } from '../../permissions/tenant-modules.ts'
import {
  requireEverything,
  requirePerson,
  requireTenantPermission,
} from '../../permissions/tenant-permissions.ts'
import type { Located } from '../../stages.ts'
import type { ControlTransaction, RunControl } from '../control-transaction.ts'
import { type GroupRoles, refuseUngrantedGroups, type SsoRole } from './group-roles.ts'

/** Of a provider that speaks SAML. */
export interface SamlSettings {
  /** Where people are sent, by redirect. */
  readonly entryPoint: string
  /** The ones it may sign with, in base64: no other certificate counts, whoever issued it. */
  readonly certificates: readonly string[]
  readonly emailAttribute?: string
  readonly nameAttribute?: string
}

export interface SsoSettings {
  /** Of OpenID Connect, or the entity id of SAML. */
  readonly issuer: string
  /** Of OpenID Connect. */
  readonly clientId?: string
  readonly saml?: SamlSettings
  /** People that the provider knows become members by signing in. */
  readonly justInTime: boolean
  readonly defaultRole: SsoRole
  /** Claim of the ID token, or attribute of the assertion, with the names of groups. */
  readonly groupClaim?: string
  readonly groupRoles: GroupRoles
  /** For providers that say nothing of whether an address is verified. */
  readonly acceptUnmarkedEmail: boolean
  /** People of the verified domains enter by the provider alone, but for owners. */
  readonly enforced: boolean
}

export interface SsoConnection extends SsoSettings {
  readonly protocol: 'oidc' | 'saml'
  readonly version: number
  readonly updatedAt: string
  readonly updatedBy: string
}

/** With the secret, for a sign-in. */
export interface OpenConnection extends SsoSettings {
  readonly tenantId: string
  readonly clientSecret?: string
}

interface ConnectionRow {
  tenant_id: string
  issuer: string
  client_id: string | null
  sealed_secret: Buffer | null
  saml: SamlSettings | null
  just_in_time: boolean
  default_role: SsoRole
  group_claim: string | null
  group_roles: GroupRoles
  accept_unmarked_email: boolean
  enforced: boolean
  version: number
  updated_at: Date
  updated_by: string
}

// Sealed for the issuer: a secret is not sent to another one that somebody puts in its place.
const placeOf = (tenantId: string, issuer: string): Place => [tenantId, 'kernel', 'sso client secret', issuer]

const settingsOf = (row: ConnectionRow): SsoSettings => ({
  issuer: row.issuer,
  ...(row.client_id === null ? {} : { clientId: row.client_id }),
  ...(row.saml === null ? {} : { saml: row.saml }),
  justInTime: row.just_in_time,
  defaultRole: row.default_role,
  ...(row.group_claim === null ? {} : { groupClaim: row.group_claim }),
  groupRoles: row.group_roles,
  acceptUnmarkedEmail: row.accept_unmarked_email,
  enforced: row.enforced,
})

const fromRow = (row: ConnectionRow): SsoConnection => ({
  ...settingsOf(row),
  protocol: row.saml === null ? 'oidc' : 'saml',
  version: row.version,
  updatedAt: row.updated_at.toISOString(),
  updatedBy: row.updated_by,
})

/** A subject of one protocol is not the same one of the other, though a provider may have one name for both. */
export const linkIssuerOf = ({ issuer, saml }: Pick<SsoSettings, 'issuer' | 'saml'>): string =>
  saml ? `saml ${issuer}` : issuer

/** @throws FORBIDDEN, SCOPE_REQUIRED */
export function mayManageSso(by: Located): void {
  requireTenantPermission(by, 'tenant.singleSignOn.manage')
  requireEverything(by)
}

/** Whoever vouches for people lets them in for as long as he is connected. @throws FORBIDDEN, SCOPE_REQUIRED, PERSON_REQUIRED */
export function mayChangeSso(by: Located): void {
  mayManageSso(by)
  requirePerson(by)
}

async function readRow(tx: ControlTransaction, tenantId: string): Promise<ConnectionRow | undefined> {
  const [row] = await tx.query<ConnectionRow>('SELECT * FROM kernel.sso_connection WHERE tenant_id = $1', [
    tenantId,
  ])
  return row
}

export async function readSsoSettings(
  tx: ControlTransaction,
  tenantId: string,
): Promise<SsoSettings | undefined> {
  const row = await readRow(tx, tenantId)
  return row && settingsOf(row)
}

const auditOf = (by: Located, action: string) => ({
  tenantId: by.tenant.id,
  ...auditedBy(by),
  entity: 'singleSignOn',
  recordId: by.tenant.id,
  action,
})

export interface SsoConnections {
  /** @throws SSO_NOT_CONFIGURED */
  get(by: Located): Promise<SsoConnection>
  /** Without a secret the one before stays, if the issuer does. @throws VALIDATION_FAILED, VERSION_CONFLICT */
  set(
    by: Located,
    settings: SsoSettings,
    secret: string | undefined,
    versions?: readonly number[],
  ): Promise<SsoConnection>
  /** @throws SSO_NOT_CONFIGURED */
  remove(by: Located): Promise<void>
  open(tenantId: string): Promise<OpenConnection | undefined>
}

export function createSsoConnections(parts: {
  readonly runControl: RunControl
  readonly seal: Seal
  readonly modulesOf: ModulesOf
  readonly off: DefencesOff
}): SsoConnections {
  const { runControl, seal, modulesOf, off } = parts
  return {
    async get(by) {
      mayManageSso(by)
      const row = await runControl((tx) => readRow(tx, by.tenant.id))
      if (!row) throw errors.ssoNotConfigured({})
      return fromRow(row)
    },
    async set(by, settings, secret, versions) {
      mayChangeSso(by)
      const { id } = by.tenant
      return runControl(async (tx) => {
        const caller = await lockAccess(tx, by, 'tenant.singleSignOn.manage')
        const manifests = modulesOf(by.tenant)
        mayChangeSso({ ...by, grants: caller })
        // All of them at each change: a provider in the place of another gives them to whom it likes.
        await refuseUngrantedGroups(tx, id, settings.groupRoles, caller, manifests, off)
        const before = await readRow(tx, id)
        if (versions && !versions.includes(before?.version ?? 0))
          throw errors.versionConflict({ entity: 'connection', id, version: before?.version ?? 0 })
        const kept = before?.issuer === settings.issuer ? before.sealed_secret : null
        const sealed = secret === undefined ? kept : seal.close(secret, placeOf(id, settings.issuer))
        if (!sealed && !settings.saml) {
          const message = 'is required for a new issuer'
          throw errors.validation({ errors: [{ field: 'clientSecret', code: 'REQUIRED', message }] })
        }
        const [after] = await tx.query<ConnectionRow>(
          `INSERT INTO kernel.sso_connection
             (tenant_id, issuer, client_id, sealed_secret, just_in_time, default_role, group_claim, group_roles,
              accept_unmarked_email, enforced, updated_by, saml)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           ON CONFLICT (tenant_id) DO UPDATE SET
             issuer = excluded.issuer, client_id = excluded.client_id, sealed_secret = excluded.sealed_secret,
             just_in_time = excluded.just_in_time, default_role = excluded.default_role,
             group_claim = excluded.group_claim, group_roles = excluded.group_roles,
             accept_unmarked_email = excluded.accept_unmarked_email, enforced = excluded.enforced, saml = excluded.saml,
             version = sso_connection.version + 1, updated_at = now(), updated_by = excluded.updated_by
           RETURNING *`,
          [
            id,
            settings.issuer,
            settings.clientId ?? null,
            settings.saml ? null : sealed,
            settings.justInTime,
            settings.defaultRole,
            settings.groupClaim ?? null,
            settings.groupRoles,
            settings.acceptUnmarkedEmail,
            settings.enforced,
            by.actor.id,
            settings.saml ?? null,
          ],
        )
        if (!after) throw errors.internal({})
        await tx.audit({
          ...auditOf(by, before ? 'changed' : 'created'),
          ...(before && { before: settingsOf(before) }),
          after: { ...settingsOf(after), secretChanged: secret !== undefined },
        })
        await tx.announce({ kind: 'tenant', id })
        return fromRow(after)
      })
    },
    async remove(by) {
      mayChangeSso(by)
      await runControl(async (tx) => {
        const [row] = await tx.query<ConnectionRow>(
          'DELETE FROM kernel.sso_connection WHERE tenant_id = $1 RETURNING *',
          [by.tenant.id],
        )
        if (!row) throw errors.ssoNotConfigured({})
        await tx.audit({ ...auditOf(by, 'removed'), before: settingsOf(row) })
        await tx.announce({ kind: 'tenant', id: by.tenant.id })
      })
    },
    async open(tenantId) {
      const row = await runControl((tx) => readRow(tx, tenantId))
      if (!row) return undefined
      const settings = { ...settingsOf(row), tenantId }
      if (row.sealed_secret === null) return settings
      return { ...settings, clientSecret: seal.open(row.sealed_secret, placeOf(tenantId, row.issuer)) }
    },
  }
}

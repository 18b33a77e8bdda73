// API keys of a service account, or of a person in one tenant: made and shown once, rotated with an overlap, revoked.
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { cutBy, readScopes } from '../permissions/scopes.ts'
import { tenantPermissions } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { isNetwork } from './networks.ts'
import { makeSecretToken } from './secret-token.ts'

/** Live at once, for one owner. */
const mostKeys = 50

export interface KeyOwner {
  readonly id: string
  readonly isService: boolean
}

export interface KeyInput {
  readonly name: string
  readonly scopes: readonly string[]
  readonly networks?: readonly string[]
  readonly expiresInDays?: number
}

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly networks: readonly string[]
  readonly createdAt: string
  readonly createdBy: string
  readonly expiresAt: string
  readonly revokedAt?: string
  /** Id of the key that it was rotated to. */
  readonly replacedBy?: string
  /** To the hour. */
  readonly lastUsedAt?: string
}

/** `key` is told once. */
export type NewApiKey = ApiKey & { readonly key: string }

interface KeyRow {
  id: string
  name: string
  scopes: string[]
  networks: string[]
  created_at: Date
  created_by: string
  expires_at: Date
  revoked_at: Date | null
  replaced_by: string | null
  last_used_at: Date | null
  is_expired: boolean
}

const columns = `id, name, scopes, networks, created_at, created_by, expires_at, revoked_at, replaced_by, last_used_at,
  expires_at <= now() AS is_expired`

const fromRow = (row: KeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  scopes: row.scopes,
  networks: row.networks,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  expiresAt: row.expires_at.toISOString(),
  ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at.toISOString() }),
  ...(row.replaced_by === null ? {} : { replacedBy: row.replaced_by }),
  ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at.toISOString() }),
})

function checkInput({ scopes, networks = [] }: KeyInput): void {
  const known = new Set<string>([...tenantPermissions, ...Object.keys(readScopes)])
  const wrong = [
    ...scopes.flatMap((scope, at) =>
      scope.startsWith('tenant.') && scope !== 'tenant.*' && !known.has(scope)
        ? [
            {
              field: `scopes.${at}`,
              code: 'UNKNOWN_PERMISSION',
              message: `is none of ${[...known].join(', ')}`,
            },
          ]
        : [],
    ),
    ...networks.flatMap((network, at) =>
      isNetwork(network)
        ? []
        : [{ field: `networks.${at}`, code: 'INVALID', message: 'is no network such as 203.0.113.0/24' }],
    ),
  ]
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
}

async function lockKey(tx: ControlTransaction, by: Located, owner: KeyOwner, id: string): Promise<KeyRow> {
  const [row] = await tx.query<KeyRow>(
    `SELECT ${columns} FROM kernel.api_key WHERE tenant_id = $1 AND owner_id = $2 AND id = $3 FOR UPDATE`,
    [by.tenant.id, owner.id, id],
  )
  if (!row) throw errors.recordNotFound({ entity: 'key', id })
  return row
}

async function insertKey(
  tx: ControlTransaction,
  by: Located,
  owner: KeyOwner,
  { name, scopes, networks = [], expiresInDays = 90 }: KeyInput,
): Promise<NewApiKey> {
  const { id, hash, text } = makeSecretToken('plk')
  const kept = cutBy(scopes) ?? ['*']
  const [row] = await tx.query<KeyRow>(
    `INSERT INTO kernel.api_key
       (id, tenant_id, owner_id, service_account_id, name, hash, scopes, networks, created_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(days => $10)) RETURNING ${columns}`,
    [
      id,
      by.tenant.id,
      owner.id,
      owner.isService ? owner.id : null,
      name,
      hash,
      kept,
      networks,
      by.actor.id,
      expiresInDays,
    ],
  )
  if (!row) throw errors.internal({})
  return { ...fromRow(row), key: text }
}

const record = (tx: ControlTransaction, by: Located, key: ApiKey, action: string, owner: KeyOwner) =>
  tx.audit({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'apiKey',
    recordId: key.id,
    action,
    after: { ...key, owner: owner.id, key: undefined },
  })

const forget = (tx: ControlTransaction, id: string) => tx.announce({ kind: 'session', id: `key:${id}` })

/** The owner's row, so that its keys are counted by one request at a time. @throws RECORD_NOT_FOUND */
async function lockOwner(tx: ControlTransaction, by: Located, owner: KeyOwner): Promise<void> {
  const found = owner.isService
    ? await tx.query(
        'SELECT 1 FROM kernel.service_account WHERE tenant_id = $1 AND id::text = $2 FOR NO KEY UPDATE',
        [by.tenant.id, owner.id],
      )
    : await tx.query(
        'SELECT 1 FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2 FOR NO KEY UPDATE',
        [by.tenant.id, owner.id],
      )
  if (found.length === 0) throw errors.recordNotFound({ entity: 'service account', id: owner.id })
}

export async function createKey(
  runControl: RunControl,
  by: Located,
  owner: KeyOwner,
  input: KeyInput,
): Promise<NewApiKey> {
  checkInput(input)
  return runControl(async (tx) => {
    await lockOwner(tx, by, owner)
    const live = await tx.query(
      'SELECT 1 FROM kernel.api_key WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL AND expires_at > now()',
      [by.tenant.id, owner.id],
    )
    if (live.length >= mostKeys) throw errors.keyLimit({ limit: mostKeys })
    const key = await insertKey(tx, by, owner, input)
    await record(tx, by, key, 'created', owner)
    return key
  })
}

/** Newest last; those that ended too, 200 at most at a time. */
export async function listKeys(
  runControl: RunControl,
  by: Located,
  owner: KeyOwner,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: ApiKey[]; cursor?: string }> {
  return runControl(async (tx) => {
    await lockOwner(tx, by, owner)
    const rows = await tx.query<KeyRow>(
      `SELECT ${columns} FROM kernel.api_key WHERE tenant_id = $1 AND owner_id = $2 AND id > $3 ORDER BY id LIMIT $4`,
      [by.tenant.id, owner.id, page.cursor ?? '', page.limit + 1],
    )
    const items = rows.slice(0, page.limit).map(fromRow)
    const last = items.at(-1)
    return rows.length > page.limit && last ? { items, cursor: last.id } : { items }
  })
}

/** Another key with the same name, scopes and networks; the old one works for `overlapHours` more. @throws KEY_NOT_LIVE */
export async function rotateKey(
  runControl: RunControl,
  by: Located,
  owner: KeyOwner,
  id: string,
  { overlapHours = 24, expiresInDays }: { readonly overlapHours?: number; readonly expiresInDays?: number },
): Promise<NewApiKey> {
  return runControl(async (tx) => {
    const old = await lockKey(tx, by, owner, id)
    if (old.revoked_at !== null || old.replaced_by !== null || old.is_expired)
      throw errors.keyNotLive({ key: id })
    const { name, scopes, networks } = old
    const next = await insertKey(tx, by, owner, {
      name,
      scopes,
      networks,
      ...(expiresInDays === undefined ? {} : { expiresInDays }),
    })
    await tx.query(
      `UPDATE kernel.api_key SET replaced_by = $2, expires_at = least(expires_at, now() + make_interval(hours => $3))
        WHERE id = $1`,
      [id, next.id, overlapHours],
    )
    await record(tx, by, { ...fromRow(old), replacedBy: next.id }, 'rotated', owner)
    await forget(tx, id)
    return next
  })
}

/** It ends at once, in every process. Revoking it again changes nothing. */
export async function revokeKey(
  runControl: RunControl,
  by: Located,
  owner: KeyOwner,
  id: string,
): Promise<void> {
  await runControl(async (tx) => {
    const row = await lockKey(tx, by, owner, id)
    if (row.revoked_at !== null) return
    await tx.query('UPDATE kernel.api_key SET revoked_at = now() WHERE id = $1', [id])
    await record(tx, by, fromRow(row), 'revoked', owner)
    await forget(tx, id)
  })
}

// What a session must say to be a tenant, as the owner login can work it out: the tenant's id, or its id signed for
// that session where kernel.tenant_id() asks for a signature. The owner may read the key; no other login may.
import type pg from 'pg'

export type TenantSetting = (tenant: string) => Promise<string>

/** For statements of the session whose backend is `backend`. */
export async function tenantSetting(owner: pg.Client, backend: number): Promise<TenantSetting> {
  const { rows } = await owner.query<{ signed: boolean }>(
    `select p.prosecdef as signed from pg_proc p where p.oid = 'kernel.tenant_id()'::regprocedure`,
  )
  if (!rows[0]?.signed) return async (tenant) => tenant
  return async (tenant) => {
    const signature = await owner.query<{ setting: string }>(
      `select $1 || '.' || encode(sha256(key || sha256(key || convert_to($1 || $2::text, 'UTF8'))), 'hex') as setting
         from kernel.tenant_key`,
      [tenant, String(backend)],
    )
    const setting = signature.rows[0]?.setting
    if (setting === undefined) throw new Error('The database has no key to sign tenants with.')
    return setting
  }
}

export async function backendOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ backend: number }>('select pg_backend_pid() as backend')
  return rows[0]?.backend ?? 0
}

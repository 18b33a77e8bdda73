// kernel.tenant_id(), which every row policy calls, in the form the installation wants: it believes the session's
// setting, or it asks for a signature. Written at every start, as the owner.
import type pg from 'pg'
import type { TenantKey } from '../tenant-signature.ts'

// STABLE: an IMMUTABLE one is folded into a prepared statement's plan, and the next tenant gets these rows.
// After COMMIT the setting is '' and not NULL; without a tenant nothing is visible.
const plain = `
create or replace function kernel.tenant_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('plinth.tenant_id', true), '')::uuid`

// With the rights of its owner, for only the owner may read the key. A path of its own would be set and put back at
// every call: every name says its schema instead. 22023: invalid_parameter_value.
const signed = `
create or replace function kernel.tenant_id() returns uuid
  language plpgsql stable parallel safe security definer
as $function$
declare
  value text := pg_catalog.current_setting('plinth.tenant_id', true);
  tenant text := pg_catalog.left(value, 36);
  secret bytea;
begin
  if value is null or value operator(pg_catalog.=) '' then return null; end if;
  select key into secret from kernel.tenant_key;
  if pg_catalog.substr(value, 38) operator(pg_catalog.=) pg_catalog.encode(
    pg_catalog.sha256(secret operator(pg_catalog.||) pg_catalog.sha256(secret operator(pg_catalog.||)
      pg_catalog.convert_to(tenant operator(pg_catalog.||) pg_catalog.pg_backend_pid()::pg_catalog.text, 'UTF8'))), 'hex')
  then return tenant::pg_catalog.uuid; end if;
  raise exception 'the tenant of this session is not signed' using errcode = '22023';
end
$function$`

/** Without a key the setting is believed. */
export async function writeTenantFunction(owner: pg.Client, key: TenantKey | undefined): Promise<void> {
  if (!key) {
    await owner.query(plain)
    return
  }
  await owner.query(
    `insert into kernel.tenant_key (key) values ($1) on conflict (only_one) do update set key = excluded.key
       where tenant_key.key <> excluded.key`,
    [key],
  )
  await owner.query(signed)
}

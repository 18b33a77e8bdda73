// A database that is gone while its server runs, as in a failover: those inside are thrown out, and nobody comes in.
import pg from 'pg'

/** Ends every connection but the superuser's own and lets nobody in, until the function that comes back is called. */
export async function shutDatabase(adminUrl: string): Promise<() => Promise<void>> {
  const elsewhere = new URL(adminUrl)
  const name = elsewhere.pathname.slice(1)
  elsewhere.pathname = '/postgres'
  const outside = new pg.Client({ connectionString: elsewhere.href })
  await outside.connect()
  await outside.query(`alter database ${name} with allow_connections false`)
  await outside.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name <> 'test-admin'`,
    [name],
  )
  return async () => {
    await outside.query(`alter database ${name} with allow_connections true`)
    await outside.end()
  }
}

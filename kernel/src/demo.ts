// The demo tenant of a first start: slug `demo`, with an owner whose password is generated and kept in DATA_DIR.
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Accounts } from './identity/accounts.ts'
import type { RunControl } from './tenants/control-transaction.ts'
import { provisionTenant } from './tenants/provision-tenant.ts'
import type { TenantDirectory } from './tenants/tenant-directory.ts'

export interface Demo {
  readonly tenant: string
  readonly email: string
  readonly password: string
}

const slug = 'demo'

export async function makeDemo(
  dataDir: string,
  parts: {
    readonly accounts: Accounts
    readonly runControl: RunControl
    readonly directory: TenantDirectory
  },
): Promise<Demo | undefined> {
  const file = join(dataDir, 'demo-owner.json')
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (await parts.directory.find(slug)) return known === undefined ? undefined : (JSON.parse(known) as Demo)
  const demo: Demo = {
    tenant: slug,
    email: 'owner@demo.example',
    password: randomBytes(12).toString('base64url'),
  }
  const { user } = await parts.accounts.signUp({
    name: 'Demo Owner',
    email: demo.email,
    password: demo.password,
  })
  await provisionTenant(
    parts.runControl,
    { requestId: 'demo', actor: user },
    { name: 'Demo Company', slug, currency: 'INR' },
  )
  await writeFile(file, JSON.stringify(demo), { mode: 0o600 })
  return demo
}

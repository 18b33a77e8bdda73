// The demo tenant of a first start: slug `demo`, with an owner whose password is generated and kept in DATA_DIR.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
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

interface Parts {
  readonly accounts: Accounts
  readonly runControl: RunControl
  readonly directory: TenantDirectory
  readonly log: Logger
}

/** Kept before the account is made: a start that is cut off in between finds it again. */
async function credentials(file: string): Promise<Demo> {
  const demo: Demo = {
    tenant: slug,
    email: 'owner@demo.example',
    password: randomBytes(12).toString('base64url'),
  }
  // With a database and a secret of its own nothing else makes the folder.
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify(demo), { mode: 0o600, flag: 'wx' }).catch(() => undefined)
  return JSON.parse(await readFile(file, 'utf8'))
}

/** Undefined when there is a tenant `demo`, or a person with its owner's address, that this installation did not make. */
export async function makeDemo(dataDir: string, parts: Parts): Promise<Demo | undefined> {
  const { accounts, runControl, directory, log } = parts
  const file = join(dataDir, 'demo-owner.json')
  const isThere = (await directory.find(slug)) !== undefined
  if (isThere && !existsSync(file)) return undefined
  const demo = await credentials(file)
  if (isThere) return demo
  try {
    const account = { name: 'Demo Owner', email: demo.email, password: demo.password }
    // It may be there from a start that was cut off; signing in shows whether it is ours.
    await accounts.signUp(account).catch(() => undefined)
    await runControl((tx) =>
      tx.query('UPDATE identity."user" SET "emailVerified" = true WHERE email = $1', [demo.email]),
    )
    const signedIn = await accounts.signIn(demo)
    if (!('user' in signedIn)) return undefined
    const { user } = signedIn
    const by = { by: { requestId: 'demo', actorId: user.id }, owner: user }
    await provisionTenant(runControl, by, { name: 'Demo Company', slug, currency: 'INR' })
    return demo
  } catch (error) {
    log.warn({ err: error }, 'the demo tenant could not be made')
    return undefined
  }
}

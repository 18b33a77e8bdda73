// What it costs to learn who is asking, by kind of token: known, and seen for the first time. `node bench/authenticate.ts`.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import pino from 'pino'
import { startChangeFeed } from '../kernel/src/data/change-feed.ts'
import { createAccessTokens } from '../kernel/src/identity/access-tokens.ts'
import { createAuthenticate } from '../kernel/src/identity/authenticate.ts'
import { createFindKey } from '../kernel/src/identity/find-key.ts'
import { makeSecretToken } from '../kernel/src/identity/secret-token.ts'
import { createSessions } from '../kernel/src/identity/sessions.ts'
import { createSigningKeys } from '../kernel/src/identity/signing-keys.ts'
import { createSeal } from '../kernel/src/outside/seal.ts'
import { controlTransactions } from '../kernel/src/tenants/control-transaction.ts'
import { testDatabase, testInstallation } from '../tests/support/database.ts'

const known = 200_000
const fresh = 500
const endings: (() => Promise<void>)[] = []
const log = pino({ level: 'silent' })
const database = await testDatabase({ teardown: (work) => void endings.push(work) })
const pool = new pg.Pool(database.access.kernel)
const feed = await startChangeFeed({ connection: database.access.kernel, log })
const runControl = controlTransactions(pool, feed)
const sessions = createSessions(pool, runControl)
const keys = createSigningKeys({
  pool,
  feed,
  runControl,
  seal: createSeal(testInstallation.secret, 'signing keys'),
  keyDays: 30,
})
const access = createAccessTokens({ keys, sessions, issuer: 'bench', lifetimeSeconds: 600 })
const authenticate = createAuthenticate(
  {
    findSession: async (token) => {
      const session = await sessions.find(token)
      return session && { kind: 'session', ...session }
    },
    findAccess: access.find,
    findKey: createFindKey(pool),
  },
  feed,
)
const tenant = await database.addTenant('bench')
const { admin } = database
await admin.query(
  `insert into identity."user" values ('ann', 'Ann', 'ann@example.com', true, null, now(), now())`,
)
await admin.query(
  `insert into identity.session ("id", "token", "userId", "expiresAt", "updatedAt")
   select 's' || n, 's' || n, 'ann', now() + interval '1 day', now() from generate_series(0, $1) n`,
  [fresh],
)
const apiKeys = Array.from({ length: fresh + 1 }, () => makeSecretToken('plk'))
for (const { id, hash } of apiKeys)
  await admin.query(
    `insert into kernel.api_key (id, tenant_id, owner_id, name, hash, scopes, created_by, expires_at, last_used_at)
     values ($1, $2, 'ann', $1, $3, '{*}', 'ann', now() + interval '1 day', now())`,
    [id, tenant, hash],
  )
const subject = (n: number) => ({ userId: 'ann', sessionId: `s${n}`, tenantId: tenant })
const jwts: string[] = []
for (let n = 0; n <= fresh; n += 1) jwts.push(await access.issue(subject(n)))

async function microsEach(tokens: readonly string[], times: number): Promise<string> {
  const arrival = { requestId: randomUUID(), address: '127.0.0.1' }
  const headers = tokens.map((token) => `Bearer ${token}`)
  const started = performance.now()
  for (let n = 0; n < times; n += 1) await authenticate(arrival, headers[n % headers.length])
  return (((performance.now() - started) * 1_000) / times).toFixed(2)
}

const kinds = {
  'session token': Array.from({ length: fresh + 1 }, (_, n) => `s${n}`),
  'access token': jwts,
  'API key': apiKeys.map(({ text }) => text),
}
for (const [kind, tokens] of Object.entries(kinds)) {
  const first = await microsEach(tokens.slice(1), fresh)
  await microsEach(tokens.slice(0, 1), 20_000)
  console.log(`${kind}: known ${await microsEach(tokens.slice(0, 1), known)} µs, first time ${first} µs`)
}
const started = performance.now()
for (let n = 0; n < fresh; n += 1) await access.issue(subject(n))
console.log(`issuing an access token: ${(((performance.now() - started) * 1_000) / fresh).toFixed(0)} µs`)

await feed.close()
await pool.end()
for (const end of endings.reverse()) await end()

import { AsyncLocalStorage } from 'node:async_hooks'
import { asFunction, asValue, createContainer, InjectionMode } from 'awilix'
import type pg from 'pg'
import type { Logger } from 'pino'
import { auditKey } from './audit/audit-digest.ts'
import { type AuditTrail, createAuditTrail } from './audit/audit-trail.ts'
import { startAuditSealer } from './audit/sealer.ts'
import type { Config } from './config.ts'
import { bootstrapDatabase, type DatabaseAccess } from './data/bootstrap.ts'
import { type ChangeFeed, startChangeFeed } from './data/change-feed.ts'
import { openControlPool } from './data/control-pool.ts'
import { startEmbeddedPostgres } from './data/embedded-postgres.ts'
import type { CurrentRequest, IdempotentRequest } from './data/idempotent-request.ts'
import { installationSecret } from './data/installation-secret.ts'
import { openTenantConnections, type TenantConnections } from './data/tenant-connections.ts'
import type { DefencesOff } from './defences.ts'
import { createLimitDirectory, type LimitDirectory } from './entitlements/limit-directory.ts'
import { checkPriceBook, type PriceBook, readPriceBook } from './entitlements/plans.ts'
import { createLadder, type Ladder } from './http/ladder.ts'
import { type AccessTokens, createAccessTokens } from './identity/access-tokens.ts'
import { type Accounts, createAccounts } from './identity/accounts.ts'
import { type Authenticate, createAuthenticate } from './identity/authenticate.ts'
import { createExchangeToken, type ExchangeToken } from './identity/exchange-token.ts'
import { createFindKey } from './identity/find-key.ts'
import type { IdentityParts } from './identity/identity-parts.ts'
import { createRecogniseOperator } from './identity/operator.ts'
import { createPasswordPolicy } from './identity/password-policy.ts'
import { startIdentityPurge } from './identity/purge-identity.ts'
import { createRecordRefusal } from './identity/refused-operators.ts'
import { createSessions, type Sessions } from './identity/sessions.ts'
import { createSigningKeys, type SigningKeys } from './identity/signing-keys.ts'
import { createThrottle } from './identity/throttle.ts'
import { createMailOutbox, type MailOutbox } from './mail/mail-outbox.ts'
import { type MailSender, startMailSender } from './mail/mail-sender.ts'
import { logTransport, smtpTransport } from './mail/mail-transport.ts'
import { createFetcher, type Fetcher } from './outside/fetcher.ts'
import { createModuleSecrets, type ModuleSecrets } from './outside/module-secrets.ts'
import { createOutside, type Outside } from './outside/outside.ts'
import { createSeal } from './outside/seal.ts'
import type { World } from './outside/world.ts'
import { createAbilities } from './permissions/abilities.ts'
import { createDecisions, type Decisions } from './permissions/decision.ts'
import { createDutyGuard, type DutyGuard } from './permissions/duty-guard.ts'
import { createGrantDirectory, type GrantDirectory } from './permissions/grant-directory.ts'
import { createScopeSwitch, type ScopeSwitch } from './permissions/scope-source.ts'
import { createUsageCounter, type UsageCounter } from './telemetry/usage-counter.ts'
import { controlTransactions, type RunControl } from './tenants/control-transaction.ts'
import { type IsTrusted, trustedProxies } from './tenants/request-head.ts'
import { createCheckSso } from './tenants/sso/policy.ts'
import { createTenantDirectory, type TenantDirectory } from './tenants/tenant-directory.ts'
import { createTenantHosts, type TenantHosts } from './tenants/tenant-hosts.ts'

const controlPoolSize = 6

export interface Cradle {
  log: Logger
  pool: pg.Pool
  identityPool: pg.Pool
  secret: string
  feed: ChangeFeed
  connections: TenantConnections
  priceBook: PriceBook
  currentRequest: CurrentRequest
  runControl: RunControl
  directory: TenantDirectory
  outbox: MailOutbox
  hosts: TenantHosts
  isTrusted: IsTrusted
  accounts: Accounts
  identity: IdentityParts
  sessions: Sessions
  signingKeys: SigningKeys
  accessTokens: AccessTokens
  exchangeToken: ExchangeToken
  authenticate: Authenticate
  scopes: ScopeSwitch
  grants: GrantDirectory
  duties: DutyGuard
  decisions: Decisions
  ladder: Ladder
  fetcher: Fetcher
  moduleSecrets: ModuleSecrets
  outside: Outside
  limits: LimitDirectory
  usage: UsageCounter
  auditTrail: AuditTrail
}

/** What was opened, closed again in reverse order, also when starting fails half-way. */
export function createClosers(log: Logger) {
  const closers: { name: string; close: () => Promise<unknown> }[] = []
  return {
    add: (name: string, close: () => Promise<unknown>) => void closers.push({ name, close }),
    async closeAll() {
      for (const { name, close } of closers.splice(0).reverse()) {
        await close().catch((error: unknown) => log.error({ err: error, part: name }, 'a part did not close'))
      }
    },
  }
}

export type Closers = ReturnType<typeof createClosers>

async function openDatabase(
  config: Config,
  secret: string,
  log: Logger,
  closers: Closers,
): Promise<DatabaseAccess> {
  let adminUrl = config.databaseUrl
  if (adminUrl === undefined) {
    const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, log })
    closers.add('embedded PostgreSQL', () => embedded.stop())
    adminUrl = embedded.adminUrl
  }
  const { rolePrefix, signedTenant } = config
  return bootstrapDatabase({ adminUrl, secret, rolePrefix, signedTenant, log })
}

/** With a demo and without a server it goes into the log. */
const canMail = ({ smtpUrl, demo }: Config): boolean => smtpUrl !== undefined || demo

function openMailSender(
  config: Config,
  parts: Omit<Parameters<typeof startMailSender>[0], 'transport'>,
): MailSender {
  const { smtpUrl, mailFrom } = config
  const transport = smtpUrl === undefined ? logTransport(parts.log) : smtpTransport(smtpUrl, mailFrom)
  return startMailSender({ ...parts, transport })
}

export async function openParts(
  config: Config,
  log: Logger,
  closers: Closers,
  off: DefencesOff,
  world: World,
) {
  const secret = config.secret ?? (await installationSecret(config.dataDir))
  const operatorToken = config.operatorToken ?? (await installationSecret(config.dataDir, 'operator-token'))
  const access = await openDatabase(config, secret, log, closers)
  const pool = openControlPool(access.kernel, controlPoolSize, log)
  closers.add('control pool', () => pool.end())
  const identityPool = openControlPool(
    { ...access.kernel, options: '-c search_path=identity' },
    controlPoolSize,
    log,
  )
  closers.add('identity pool', () => identityPool.end())
  const connections = openTenantConnections(
    {
      connection: access.data,
      ...(access.tenantKey && { tenantKey: access.tenantKey }),
      max: config.poolSize,
      log,
    },
    off,
  )
  closers.add('tenant connections', () => connections.close())
  const feed = await startChangeFeed({ connection: access.kernel, log })
  closers.add('change feed', () => feed.close())
  const usage = createUsageCounter(pool, log)
  closers.add('usage', () => usage.close())
  const sealing = auditKey(secret)
  const sealer = startAuditSealer({ pool, key: sealing, log })
  closers.add('audit sealer', () => sealer.close())
  const priceBook = await readPriceBook(pool)
  for (const warning of checkPriceBook(priceBook)) log.warn(warning)
  const mailSeal = createSeal(secret, 'mail')
  const container = createContainer<Cradle>({ injectionMode: InjectionMode.PROXY, strict: true })
  container.register({
    log: asValue(log),
    pool: asValue(pool),
    identityPool: asValue(identityPool),
    secret: asValue(secret),
    feed: asValue(feed),
    connections: asValue(connections),
    priceBook: asValue(priceBook),
    usage: asValue(usage),
    limits: asFunction((c: Cradle) => createLimitDirectory(c.pool, c.feed, c.priceBook)).singleton(),
    currentRequest: asValue(new AsyncLocalStorage<IdempotentRequest>()),
    runControl: asFunction((c: Cradle) => controlTransactions(c.pool, c.feed, c.currentRequest)).singleton(),
    directory: asFunction((c: Cradle) => createTenantDirectory(c.pool, c.feed)).singleton(),
    outbox: asValue(createMailOutbox(mailSeal, canMail(config))),
    accounts: asFunction((c: Cradle) =>
      createAccounts(c.identityPool, {
        secret: c.secret,
        requireVerified: config.verifyEmail === 'required',
      }),
    ).singleton(),
    identity: asFunction((c: Cradle) => ({
      accounts: c.accounts,
      runControl: c.runControl,
      outbox: c.outbox,
      throttle: createThrottle(c.pool, off),
      passwords: createPasswordPolicy({ breachUrl: config.breachUrl, log: c.log }),
      config,
      off,
    })).singleton(),
    hosts: asFunction((c: Cradle) => createTenantHosts(c.pool, c.feed, config.baseDomains)).singleton(),
    isTrusted: asValue(trustedProxies(config.trustedProxies)),
    scopes: asFunction(createScopeSwitch).singleton(),
    grants: asFunction((c: Cradle) => createGrantDirectory(c.pool, c.feed, c.scopes)).singleton(),
    decisions: asFunction((c: Cradle) => createDecisions(createSeal(c.secret, 'decisions'))).singleton(),
    duties: asFunction((c: Cradle) => createDutyGuard(c.pool, c.feed, off)).singleton(),
    sessions: asFunction((c: Cradle) => createSessions(c.pool, c.runControl, off)).singleton(),
    signingKeys: asFunction((c: Cradle) =>
      createSigningKeys({
        pool: c.pool,
        feed: c.feed,
        runControl: c.runControl,
        seal: createSeal(c.secret, 'signing keys'),
        keyDays: config.signingKeyDays,
      }),
    ).singleton(),
    accessTokens: asFunction((c: Cradle) =>
      createAccessTokens({
        keys: c.signingKeys,
        sessions: c.sessions,
        issuer: config.publicUrl,
        lifetimeSeconds: config.accessTokenSeconds,
      }),
    ).singleton(),
    exchangeToken: asFunction((c: Cradle) =>
      createExchangeToken(
        { accessTokens: c.accessTokens, directory: c.directory, runControl: c.runControl, log: c.log },
        off,
      ),
    ).singleton(),
    authenticate: asFunction((c: Cradle) =>
      createAuthenticate(
        {
          findSession: async (token) => {
            const actor = await c.accounts.findSession(token)
            // Which tenant a session is confined to is not better-auth's to know.
            const session = actor && (await c.sessions.find(actor.session))
            return session && { kind: 'session', ...session }
          },
          findAccess: c.accessTokens.find,
          findKey: createFindKey(c.pool, off),
        },
        c.feed,
      ),
    ).singleton(),
    ladder: asFunction((c: Cradle) =>
      createLadder(
        {
          authenticate: c.authenticate,
          recogniseOperator: createRecogniseOperator(
            operatorToken,
            createRecordRefusal(c.runControl, c.log),
            off,
          ),
          directory: c.directory,
          hosts: c.hosts,
          isTrusted: c.isTrusted,
          grantsOf: c.grants.grantsOf,
          checkSso: createCheckSso(c.pool, c.feed, off),
          abilityOf: createAbilities(off),
        },
        off,
      ),
    ).singleton(),
    fetcher: asFunction((c: Cradle) =>
      createFetcher({ world, plainHosts: config.plainHosts, log: c.log }, off),
    ).singleton(),
    moduleSecrets: asFunction((c: Cradle) =>
      createModuleSecrets(c.pool, c.runControl, createSeal(c.secret), off),
    ).singleton(),
    auditTrail: asFunction((c: Cradle) =>
      createAuditTrail({ pool: c.pool, key: sealing, sealer }, off),
    ).singleton(),
    outside: asFunction((c: Cradle) =>
      createOutside({ fetcher: c.fetcher, secrets: c.moduleSecrets }, off),
    ).singleton(),
  })
  closers.add('fetches', async () => container.cradle.fetcher.close())
  const purge = startIdentityPurge(pool, log)
  closers.add('purge of identity', () => purge.close())
  if (canMail(config)) {
    const sender = openMailSender(config, { pool, seal: mailSeal, log })
    closers.add('mail', () => sender.close())
    feed.onChange(({ kind }) => (kind === 'mail' || kind === 'all' ? sender.wake() : undefined))
  }
  return { access, cradle: container.cradle }
}

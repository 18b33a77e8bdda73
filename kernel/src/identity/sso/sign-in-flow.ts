// A sign-in at a tenant's identity provider, from the first redirect to the session. What is under way stands in the
// database under the hash of its state: any process can finish it, once, in the browser that began it.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Manifest } from '@plinth/sdk'
import type { Logger } from 'pino'
import { allStand, type DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import type { Seal } from '../../outside/seal.ts'
import type { Arrival } from '../../stages.ts'
import type { ControlTransaction, RunControl } from '../../tenants/control-transaction.ts'
import type { Admitted, Vouched } from '../../tenants/sso/admit.ts'
import type { OpenConnection, SsoConnections } from '../../tenants/sso/connection.ts'
import type { SignedIn } from '../accounts.ts'
import type { Sessions } from '../sessions.ts'
import { type Claims, isOidcRefusal, type OidcClient } from './oidc-client.ts'

const flowSeconds = 600
const ticketSeconds = 60

export type Admit = (
  tx: ControlTransaction,
  to: {
    readonly tenantId: string
    readonly settings: OpenConnection
    readonly manifests: readonly Manifest[]
    readonly by: Arrival
  },
  vouched: Vouched,
) => Promise<Admitted>

export interface Returned {
  /** Query of the URL the person came back with. */
  readonly search: string
  readonly state: string | undefined
  /** From the cookie. */
  readonly browser: string | undefined
}

export interface SignInFlow {
  /**
   * Where to send the browser, which is to keep `browser` in a cookie. `returnTo` is a path of the client.
   * @throws SSO_NOT_CONFIGURED, SSO_FAILED
   */
  start(
    who: { readonly email: string } | { readonly tenant: string },
    browser: string | undefined,
    returnTo: string | undefined,
  ): Promise<{ readonly url: URL; readonly browser: string }>
  /** A session, or the path of the client with a ticket for one. @throws SSO_FLOW_UNKNOWN, SSO_FAILED, SSO_PERSON_REFUSED */
  finish(by: Arrival, returned: Returned): Promise<SignedIn | { readonly returnTo: string }>
  /** @throws SSO_FLOW_UNKNOWN */
  redeem(by: Arrival, ticket: string): Promise<SignedIn>
}

interface FlowRow {
  tenant_id: string
  issuer: string
  browser_hash: Buffer
  sealed: Buffer
  return_to: string | null
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const random = () => randomBytes(32).toString('base64url')
export const isRandom = (text: string): boolean => /^[\w-]{43}$/.test(text)

const texts = (claim: unknown): string[] =>
  Array.isArray(claim)
    ? claim.filter((one): one is string => typeof one === 'string').slice(0, 1_000)
    : typeof claim === 'string'
      ? [claim]
      : []

function vouchedBy(claims: Claims, { groupClaim }: OpenConnection): Vouched {
  const text = (name: string) => {
    const value = claims[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const verified = claims['email_verified']
  return {
    subject: claims.sub,
    email: text('email'),
    // Some send a text; anything but a plain yes is no.
    emailVerified: verified === undefined ? undefined : verified === true || verified === 'true',
    name: text('name'),
    groups: groupClaim !== undefined && Object.hasOwn(claims, groupClaim) ? texts(claims[groupClaim]) : [],
  }
}

export function createSignInFlow(
  parts: {
    readonly runControl: RunControl
    readonly connections: Pick<SsoConnections, 'open'>
    readonly oidc: OidcClient
    readonly admit: Admit
    /** Of the modules that a tenant has enabled. */
    readonly manifestsOf: (tenantId: string) => Promise<readonly Manifest[]>
    readonly sessions: Pick<Sessions, 'open'>
    readonly seal: Seal
    /** Where the provider sends people back to. */
    readonly redirectUri: string
    readonly log: Logger
  },
  off: DefencesOff = allStand,
): SignInFlow {
  const { runControl, connections, oidc, admit, manifestsOf, sessions, seal, redirectUri, log } = parts

  async function tenantFor(who: { email: string } | { tenant: string }): Promise<string | undefined> {
    const [row] = await runControl((tx) =>
      'tenant' in who
        ? tx.query<{ id: string }>('SELECT id FROM kernel.tenant WHERE slug = $1 OR id::text = $1', [
            who.tenant.toLowerCase(),
          ])
        : tx.query<{ id: string }>(
            'SELECT tenant_id AS id FROM kernel.sso_domain WHERE domain = $1 AND verified_at IS NOT NULL',
            [who.email.slice(who.email.lastIndexOf('@') + 1).toLowerCase()],
          ),
    )
    return row?.id
  }

  /** What the provider did is the operator's to read; the person learns as much as helps him. */
  async function asking<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isOidcRefusal(error)) throw error
      const cause = error.cause instanceof Error ? error.cause.message : undefined
      log.info({ tenant: tenantId, reason: error.message, cause }, 'a sign-in at an identity provider failed')
      throw errors.ssoFailed({ reason: error.message })
    }
  }

  async function take(state: string, browser: string | undefined): Promise<FlowRow> {
    const [row] = await runControl((tx) =>
      tx.query<FlowRow>(
        `DELETE FROM identity.sso_flow WHERE state_hash = $1 AND expires_at > now()
         RETURNING tenant_id, issuer, browser_hash, sealed, return_to`,
        [hashOf(state)],
      ),
    )
    if (!row) throw errors.ssoFlowUnknown({})
    // Else somebody could have another person finish what he began, who then works in his account.
    const isSame = browser !== undefined && timingSafeEqual(row.browser_hash, hashOf(browser))
    if (!isSame && !off.has('ssoBrowser')) throw errors.ssoFlowUnknown({})
    return row
  }

  return {
    async start(who, known, returnTo) {
      const tenantId = await tenantFor(who)
      const connection = tenantId === undefined ? undefined : await connections.open(tenantId)
      if (!connection) throw errors.ssoNotConfigured({})
      const checks = { state: random(), nonce: random(), codeVerifier: random() }
      // One value for all sign-ins that a browser has under way.
      const browser = known !== undefined && isRandom(known) ? known : random()
      const url = await asking(connection.tenantId, () => oidc.startUrl(connection, redirectUri, checks))
      const sealed = seal.close(JSON.stringify(checks), [
        connection.tenantId,
        'kernel',
        'sso flow',
        connection.issuer,
      ])
      await runControl(async (tx) => {
        await tx.query('DELETE FROM identity.sso_flow WHERE expires_at < now()', [])
        await tx.query(
          `INSERT INTO identity.sso_flow (state_hash, browser_hash, tenant_id, issuer, sealed, return_to, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))`,
          [
            hashOf(checks.state),
            hashOf(browser),
            connection.tenantId,
            connection.issuer,
            sealed,
            returnTo ?? null,
            flowSeconds,
          ],
        )
      })
      return { url, browser }
    },

    async finish(by, { search, state, browser }) {
      if (state === undefined || !isRandom(state)) throw errors.ssoFlowUnknown({})
      const flow = await take(state, browser)
      const connection = await connections.open(flow.tenant_id)
      // The tenant has changed its provider meanwhile: the code that came is the old one's.
      if (!connection || connection.issuer !== flow.issuer) throw errors.ssoFlowUnknown({})
      const opened = seal.open(flow.sealed, [flow.tenant_id, 'kernel', 'sso flow', flow.issuer])
      const checks = JSON.parse(opened) as { state: string; nonce: string; codeVerifier: string }
      const returned = new URL(redirectUri)
      returned.search = search
      const claims = await asking(flow.tenant_id, () => oidc.finish(connection, returned, checks))
      const manifests = await manifestsOf(flow.tenant_id)
      const to = { tenantId: flow.tenant_id, settings: connection, manifests, by }
      const ticket = random()
      const { userId } = await runControl(async (tx) => {
        const admitted = await admit(tx, to, vouchedBy(claims, connection))
        if (flow.return_to === null) return admitted
        await tx.query('DELETE FROM identity.sso_ticket WHERE expires_at < now()', [])
        await tx.query(
          `INSERT INTO identity.sso_ticket (hash, user_id, tenant_id, expires_at)
           VALUES ($1, $2, $3, now() + make_interval(secs => $4))`,
          [hashOf(ticket), admitted.userId, flow.tenant_id, ticketSeconds],
        )
        return admitted
      })
      if (flow.return_to === null) return sessions.open(userId, flow.tenant_id, by)
      const separator = flow.return_to.includes('?') ? '&' : '?'
      return { returnTo: `${flow.return_to}${separator}sso_ticket=${ticket}` }
    },

    async redeem(by, ticket) {
      const [row] = await runControl((tx) =>
        tx.query<{ user_id: string; tenant_id: string }>(
          'DELETE FROM identity.sso_ticket WHERE hash = $1 AND expires_at > now() RETURNING user_id, tenant_id',
          [hashOf(ticket)],
        ),
      )
      if (!row) throw errors.ssoFlowUnknown({})
      return sessions.open(row.user_id, row.tenant_id, by)
    },
  }
}

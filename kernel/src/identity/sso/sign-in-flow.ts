// A sign-in at a tenant's identity provider, from the first redirect to the session, which is opened in the browser that
// began it and in no other.
import type { Manifest } from '@plinth/sdk'
import type { Logger } from 'pino'
import { allStand, type DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import type { Arrival } from '../../stages.ts'
import type { ControlTransaction, RunControl } from '../../tenants/control-transaction.ts'
import type { Admitted, Vouched } from '../../tenants/sso/admit.ts'
import type { OpenConnection, SsoConnections } from '../../tenants/sso/connection.ts'
import type { SignedIn } from '../accounts.ts'
import type { Sessions } from '../sessions.ts'
import type { Claims, OidcClient, Provider } from './oidc-client.ts'
import { isProviderRefusal } from './provider-refusal.ts'
import type { SamlConnection, SamlProvider } from './saml/saml-provider.ts'
import { type Flow, hashOf, isBegunIn, isRandom, random, type SignInFlows } from './sign-in-flows.ts'

const flowSeconds = 600
const ticketSeconds = 60
/** From the provider's page to ours. */
const arrivalSeconds = 60

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

export interface SamlAnswer {
  readonly response: string
  readonly relayState: string | undefined
}

export type Finished = SignedIn | { readonly returnTo: string }

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
  finish(by: Arrival, returned: Returned): Promise<Finished>
  /**
   * The state with which the browser goes on to `arrive`: what a provider posts comes from its own page, and without our
   * cookie. @throws SSO_FLOW_UNKNOWN, SSO_FAILED
   */
  answered(tenantId: string, answer: SamlAnswer): Promise<string>
  /** As `finish`. @throws SSO_FLOW_UNKNOWN, SSO_PERSON_REFUSED */
  arrive(by: Arrival, returned: Omit<Returned, 'search'>): Promise<Finished>
  /** @throws SSO_FLOW_UNKNOWN */
  redeem(by: Arrival, ticket: string): Promise<SignedIn>
}

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

const isSaml = (connection: OpenConnection): connection is OpenConnection & SamlConnection =>
  connection.saml !== undefined

/** @throws SSO_FLOW_UNKNOWN when it speaks SAML */
function oidcProviderOf({ tenantId, issuer, clientId, clientSecret }: OpenConnection): Provider {
  if (clientId === undefined || clientSecret === undefined) throw errors.ssoFlowUnknown({})
  return { tenantId, issuer, clientId, clientSecret }
}

export function createSignInFlow(
  parts: {
    readonly runControl: RunControl
    readonly connections: Pick<SsoConnections, 'open'>
    readonly oidc: OidcClient
    readonly saml: SamlProvider
    readonly admit: Admit
    /** Of the modules that a tenant has enabled. */
    readonly manifestsOf: (tenantId: string) => Promise<readonly Manifest[]>
    readonly sessions: Pick<Sessions, 'open'>
    readonly flows: SignInFlows
    /** Where the provider sends people back to. */
    readonly redirectUri: string
    readonly log: Logger
  },
  off: DefencesOff = allStand,
): SignInFlow {
  const { runControl, connections, oidc, saml, admit, manifestsOf, sessions, flows, redirectUri, log } = parts

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
      if (!isProviderRefusal(error)) throw error
      const cause = error.cause instanceof Error ? error.cause.message : undefined
      log.info({ tenant: tenantId, reason: error.message, cause }, 'a sign-in at an identity provider failed')
      throw errors.ssoFailed({ reason: error.message })
    }
  }

  /** Else somebody could have another person finish what he began, who then works in his account. */
  function refuseOtherBrowser(flow: Flow, browser: string | undefined): void {
    if (!isBegunIn(flow, browser) && !off.has('ssoBrowser')) throw errors.ssoFlowUnknown({})
  }

  /** What the sign-in was begun with. The tenant may have changed its provider meanwhile: what comes is the old one's. */
  async function connectionOf({ tenantId, issuer }: Flow): Promise<OpenConnection> {
    const connection = await connections.open(tenantId)
    if (!connection || connection.issuer !== issuer) throw errors.ssoFlowUnknown({})
    return connection
  }

  async function begin(connection: OpenConnection, state: string): Promise<{ url: URL; content: string }> {
    if (isSaml(connection)) {
      const { url, requestId } = await saml.start(connection, state)
      return { url, content: requestId }
    }
    const checks = { state, nonce: random(), codeVerifier: random() }
    const url = await oidc.startUrl(oidcProviderOf(connection), redirectUri, checks)
    return { url, content: JSON.stringify(checks) }
  }

  async function letIn(
    by: Arrival,
    flow: Flow,
    settings: OpenConnection,
    vouched: Vouched,
  ): Promise<Finished> {
    const { tenantId, returnTo } = flow
    const manifests = await manifestsOf(tenantId)
    const ticket = random()
    const { userId } = await runControl(async (tx) => {
      const admitted = await admit(tx, { tenantId, settings, manifests, by }, vouched)
      if (returnTo === undefined) return admitted
      await tx.query('DELETE FROM identity.sso_ticket WHERE expires_at < now()', [])
      await tx.query(
        `INSERT INTO identity.sso_ticket (hash, user_id, tenant_id, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(secs => $4))`,
        [hashOf(ticket), admitted.userId, tenantId, ticketSeconds],
      )
      return admitted
    })
    if (returnTo === undefined) return sessions.open(userId, tenantId, by)
    return { returnTo: `${returnTo}${returnTo.includes('?') ? '&' : '?'}sso_ticket=${ticket}` }
  }

  return {
    async start(who, known, returnTo) {
      const tenantId = await tenantFor(who)
      const connection = tenantId === undefined ? undefined : await connections.open(tenantId)
      if (!connection) throw errors.ssoNotConfigured({})
      const state = random()
      // One value for all sign-ins that a browser has under way.
      const browser = known !== undefined && isRandom(known) ? known : random()
      const { url, content } = await asking(connection.tenantId, () => begin(connection, state))
      const { issuer } = connection
      const flow = { tenantId: connection.tenantId, issuer, browserHash: hashOf(browser), content, returnTo }
      await flows.begin(isSaml(connection) ? 'saml' : 'oidc', state, flow, flowSeconds)
      return { url, browser }
    },

    async finish(by, { search, state, browser }) {
      const flow = await flows.take('oidc', state)
      refuseOtherBrowser(flow, browser)
      const connection = await connectionOf(flow)
      const provider = oidcProviderOf(connection)
      const checks = JSON.parse(flow.content) as { state: string; nonce: string; codeVerifier: string }
      const returned = new URL(redirectUri)
      returned.search = search
      const claims = await asking(flow.tenantId, () => oidc.finish(provider, returned, checks))
      return letIn(by, flow, connection, vouchedBy(claims, connection))
    },

    async answered(tenantId, { response, relayState }) {
      const flow = await flows.take('saml', relayState)
      const connection = await connectionOf(flow)
      if (flow.tenantId !== tenantId || !isSaml(connection)) throw errors.ssoFlowUnknown({})
      const vouched = await asking(tenantId, () => saml.finish(connection, flow.content, response))
      const state = random()
      await flows.begin('vouched', state, { ...flow, content: JSON.stringify(vouched) }, arrivalSeconds)
      return state
    },

    async arrive(by, { state, browser }) {
      const flow = await flows.take('vouched', state)
      refuseOtherBrowser(flow, browser)
      const connection = await connectionOf(flow)
      return letIn(by, flow, connection, JSON.parse(flow.content) as Vouched)
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

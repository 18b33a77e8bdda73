// Sign-ins that are under way: in the database, under the hash of their state, so that any process goes on with them, and
// each once.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { errors } from '../../errors.ts'
import type { Seal } from '../../outside/seal.ts'
import type { RunControl } from '../../tenants/control-transaction.ts'

export const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()
export const random = () => randomBytes(32).toString('base64url')
export const isRandom = (text: string): boolean => /^[\w-]{43}$/.test(text)

/** What is waited for: the way back from a provider of either kind, or the browser of somebody it has vouched for. */
export type FlowStage = 'oidc' | 'saml' | 'vouched'

export interface Flow {
  readonly tenantId: string
  readonly issuer: string
  readonly browserHash: Buffer
  /** What is to be known when it goes on: JSON. */
  readonly content: string
  readonly returnTo: string | undefined
}

export interface SignInFlows {
  begin(stage: FlowStage, state: string, flow: Flow, seconds: number): Promise<void>
  /** Which ends it. @throws SSO_FLOW_UNKNOWN */
  take(stage: FlowStage, state: string | undefined): Promise<Flow>
}

interface FlowRow {
  tenant_id: string
  issuer: string
  browser_hash: Buffer
  sealed: Buffer
  return_to: string | null
}

export const isBegunIn = ({ browserHash }: Flow, browser: string | undefined): boolean =>
  browser !== undefined && timingSafeEqual(browserHash, hashOf(browser))

export function createSignInFlows(runControl: RunControl, seal: Seal): SignInFlows {
  const placeOf = (stage: FlowStage, { tenantId, issuer }: Pick<Flow, 'tenantId' | 'issuer'>) =>
    [tenantId, 'kernel', `sso flow ${stage}`, issuer] as const
  return {
    async begin(stage, state, flow, seconds) {
      const { tenantId, issuer, browserHash, content, returnTo = null } = flow
      const sealed = seal.close(content, placeOf(stage, flow))
      await runControl(async (tx) => {
        await tx.query('DELETE FROM identity.sso_flow WHERE expires_at < now()', [])
        await tx.query(
          `INSERT INTO identity.sso_flow
             (state_hash, browser_hash, tenant_id, issuer, sealed, return_to, stage, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))`,
          [hashOf(state), browserHash, tenantId, issuer, sealed, returnTo, stage, seconds],
        )
      })
    },
    async take(stage, state) {
      if (state === undefined || !isRandom(state)) throw errors.ssoFlowUnknown({})
      const [row] = await runControl((tx) =>
        tx.query<FlowRow>(
          `DELETE FROM identity.sso_flow WHERE state_hash = $1 AND stage = $2 AND expires_at > now()
           RETURNING tenant_id, issuer, browser_hash, sealed, return_to`,
          [hashOf(state), stage],
        ),
      )
      if (!row) throw errors.ssoFlowUnknown({})
      const place = placeOf(stage, { tenantId: row.tenant_id, issuer: row.issuer })
      return {
        tenantId: row.tenant_id,
        issuer: row.issuer,
        browserHash: row.browser_hash,
        content: seal.open(row.sealed, place),
        returnTo: row.return_to ?? undefined,
      }
    },
  }
}

// From a session, or the refresh token of an earlier exchange, to an access token. A refresh token works once: the newest
// of its family is known by its hash, and whoever shows another one shows one that was used before. Then somebody has a
// copy, and the session ends with everything that came of it.
import type { Logger } from 'pino'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import { cutBy } from '../permissions/scopes.ts'
import type { Identified } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { AccessTokens, TokenSubject } from './access-tokens.ts'
import { makeSecretToken, parseSecretToken } from './secret-token.ts'
import { endSession } from './sessions.ts'

export interface IssuedTokens {
  readonly accessToken: string
  readonly tokenType: 'Bearer'
  /** Seconds. */
  readonly expiresIn: number
  readonly refreshToken: string
}

export interface ExchangeToken {
  /** @throws PERSON_REQUIRED for what is no session, TENANT_NOT_FOUND, TENANT_MISMATCH */
  fromSession(
    by: Identified,
    wish: { readonly tenant?: string; readonly scopes?: readonly string[] },
  ): Promise<IssuedTokens>
  /** @throws REFRESH_REFUSED */
  fromRefresh(refreshToken: string): Promise<IssuedTokens>
}

interface FamilyRow {
  session_id: string
  user_id: string
  tenant_id: string | null
  scopes: string[] | null
}

/** As better-auth does it for a session that is used: seven days from now, moved at most once a day. */
const prolongSession = `UPDATE identity.session SET "expiresAt" = now() + interval '7 days', "updatedAt" = now()
  WHERE "id" = $1 AND "expiresAt" < now() + interval '6 days'`

export function createExchangeToken(
  parts: {
    readonly accessTokens: AccessTokens
    readonly directory: Pick<TenantDirectory, 'find' | 'roleOf'>
    readonly runControl: RunControl
    readonly log: Logger
  },
  off: DefencesOff = allStand,
): ExchangeToken {
  const { accessTokens, directory, runControl, log } = parts

  async function issued(subject: TokenSubject, refreshToken: string): Promise<IssuedTokens> {
    return {
      accessToken: await accessTokens.issue(subject),
      tokenType: 'Bearer',
      expiresIn: accessTokens.lifetimeSeconds,
      refreshToken,
    }
  }

  async function tenantFor(by: Identified, wanted: string | undefined): Promise<string | undefined> {
    if (wanted === undefined) return by.tenantClaim
    const tenant = await directory.find(wanted.toLowerCase())
    if (!tenant || !(await directory.roleOf(tenant.id, by.actor.id)))
      throw errors.tenantNotFound({ tenant: wanted.slice(0, 64) })
    if (by.tenantClaim !== undefined && by.tenantClaim !== tenant.id)
      throw errors.tenantMismatch({ sources: ['the body', 'the session'] })
    return tenant.id
  }

  return {
    async fromSession(by, wish) {
      // An access token that could be exchanged for the next one would live as long as its thief likes.
      if (by.credential !== 'session') throw errors.personRequired({})
      const tenantId = await tenantFor(by, wish.tenant)
      const scopes = wish.scopes && cutBy(wish.scopes)
      const { id, hash, text } = makeSecretToken('plr')
      await runControl((tx) =>
        tx.query(
          'INSERT INTO identity.refresh_family (id, session_id, hash, tenant_id, scopes) VALUES ($1, $2, $3, $4, $5)',
          [id, by.actor.session, hash, tenantId ?? null, scopes ?? null],
        ),
      )
      const subject = {
        userId: by.actor.id,
        sessionId: by.actor.session,
        ...(tenantId !== undefined && { tenantId }),
        ...(scopes && { scopes }),
      }
      return issued(subject, text)
    },

    async fromRefresh(refreshToken) {
      const given = parseSecretToken('plr', refreshToken)
      if (!given) throw errors.refreshRefused({})
      const next = makeSecretToken('plr', given.id)
      // One statement: of two who come at the same moment with the same token one gets the next.
      const family = await runControl(async (tx) => {
        const [row] = await tx.query<FamilyRow>(
          `UPDATE identity.refresh_family f SET hash = $3, used_at = now()
             FROM identity.session s
            WHERE f.id = $1 AND (f.hash = $2 OR $4) AND s."id" = f.session_id AND s."expiresAt" > now()
        RETURNING f.session_id, s."userId" AS user_id, f.tenant_id, f.scopes`,
          [given.id, given.hash, next.hash, off.has('refreshReuse')],
        )
        if (row) {
          await tx.query(prolongSession, [row.session_id])
          return row
        }
        const [stolen] = await tx.query<{ session_id: string }>(
          'SELECT session_id FROM identity.refresh_family WHERE id = $1',
          [given.id],
        )
        if (stolen) {
          log.warn({ session: stolen.session_id }, 'a refresh token was used twice: its session ends')
          await endSession(tx, stolen.session_id)
        }
        return undefined
      })
      if (!family) throw errors.refreshRefused({})
      const { session_id: sessionId, user_id: userId, tenant_id: tenantId, scopes } = family
      return issued(
        { userId, sessionId, ...(tenantId !== null && { tenantId }), ...(scopes && { scopes }) },
        next.text,
      )
    },
  }
}

// Access tokens: JWTs that live for minutes, for one session, perhaps for one tenant and some scopes alone. Whoever has
// the published keys can verify them; the kernel asks besides whether the session still lives.
import { randomUUID } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import type { Credential } from './credential.ts'
import type { Sessions } from './sessions.ts'
import { algorithm, type SigningKeys } from './signing-keys.ts'

const audience = 'plinth'
const type = 'at+jwt'

export interface TokenSubject {
  readonly userId: string
  readonly sessionId: string
  readonly tenantId?: string
  readonly scopes?: readonly string[]
}

export interface AccessTokens {
  readonly lifetimeSeconds: number
  issue(subject: TokenSubject): Promise<string>
  /** Undefined for a token that is not ours, has expired, or whose session has ended. */
  find(token: string): Promise<Credential | undefined>
}

export function createAccessTokens(parts: {
  readonly keys: SigningKeys
  readonly sessions: Pick<Sessions, 'find'>
  readonly issuer: string
  readonly lifetimeSeconds: number
}): AccessTokens {
  const { keys, sessions, issuer, lifetimeSeconds } = parts

  async function verify(token: string) {
    try {
      const { payload } = await jwtVerify(
        token,
        async ({ kid }) => {
          const key = kid === undefined ? undefined : await keys.publicKey(kid)
          if (!key) throw new Error('unknown key')
          return key
        },
        {
          algorithms: [algorithm],
          audience,
          issuer,
          typ: type,
          requiredClaims: ['sub', 'sid', 'exp', 'jti'],
        },
      )
      return payload
    } catch (error) {
      // Only what jose says of the token; that the keys could not be read is no verdict on it.
      if (error instanceof Error && ('claim' in error || /^ERR_J/.test(codeOf(error)))) return undefined
      if (error instanceof Error && error.message === 'unknown key') return undefined
      throw error
    }
  }

  return {
    lifetimeSeconds,
    async issue({ userId, sessionId, tenantId, scopes }) {
      const { id, key } = await keys.current()
      return new SignJWT({
        sid: sessionId,
        ...(tenantId !== undefined && { tid: tenantId }),
        ...(scopes && { scope: scopes.join(' ') }),
      })
        .setProtectedHeader({ alg: algorithm, kid: id, typ: type })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds}s`)
        .setJti(randomUUID())
        .sign(key)
    },
    async find(token) {
      const payload = await verify(token)
      const { sid, sub, tid, scope, exp = 0 } = payload ?? {}
      if (typeof sid !== 'string') return undefined
      const session = await sessions.find(sid)
      if (!session || session.actor.id !== sub) return undefined
      const tenantClaim = session.tenantClaim ?? (typeof tid === 'string' ? tid : undefined)
      if (session.tenantClaim !== undefined && tid !== undefined && tid !== session.tenantClaim)
        return undefined
      return {
        kind: 'access',
        actor: session.actor,
        ...(tenantClaim !== undefined && { tenantClaim }),
        ...(session.vouchedBy !== undefined && { vouchedBy: session.vouchedBy }),
        ...(typeof scope === 'string' && { scopes: scope.split(' ') }),
        expiresAt: exp * 1_000,
      }
    },
  }
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '')

// Sessions by their id, where better-auth knows them by their token, and those that it did not open itself.
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Actor } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { SignedIn } from './accounts.ts'
import type { Credential } from './credential.ts'

interface SessionRow {
  id: string
  name: string
  email: string
  tenant_id: string | null
}

export interface Sessions {
  /** Whose live session this is, and which tenant vouched for it: it is confined to that one. */
  find(sessionId: string): Promise<Pick<Credential, 'actor' | 'tenantClaim' | 'vouchedBy'> | undefined>
  /** A new session of a person whom a tenant's identity provider has vouched for, confined to that tenant. */
  open(userId: string, tenantId: string): Promise<SignedIn>
  /** Ends it at once, in every process. */
  end(sessionId: string): Promise<void>
}

export async function endSession(tx: ControlTransaction, sessionId: string): Promise<void> {
  await tx.query('DELETE FROM identity.session WHERE "id" = $1', [sessionId])
  // The database tells every process by a trigger; this is what is waited for.
  await tx.announce({ kind: 'session', id: sessionId })
}

/** A trigger of identity.session refuses them. */
const isDisabled = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'PL001'

export function createSessions(pool: pg.Pool, runControl: RunControl, off: DefencesOff = allStand): Sessions {
  return {
    async find(sessionId) {
      const { rows } = await fromDatabase(() =>
        pool.query<SessionRow>(
          `SELECT u.id, u.name, u.email, t.tenant_id
             FROM identity.session s JOIN identity."user" u ON u.id = s."userId"
             LEFT JOIN identity.session_tenant t ON t.session_id = s.id
            WHERE s.id = $1 AND s."expiresAt" > now()`,
          [sessionId],
        ),
      )
      const [row] = rows
      if (!row) return undefined
      const { tenant_id: vouchedBy, ...person } = row
      const actor: Actor = { ...person, session: sessionId }
      if (vouchedBy === null) return { actor }
      return off.has('ssoConfinement') ? { actor, vouchedBy } : { actor, vouchedBy, tenantClaim: vouchedBy }
    },
    open: (userId, tenantId) =>
      runControl(async (tx) => {
        const id = randomBytes(16).toString('hex')
        const token = randomBytes(24).toString('hex')
        const [user] = await tx.query<SignedIn['user']>(
          'SELECT id, name, email FROM identity."user" WHERE id = $1',
          [userId],
        )
        if (!user) throw errors.unauthenticated({})
        await tx
          .query(
            `INSERT INTO identity.session ("id", "token", "userId", "expiresAt", "updatedAt")
             VALUES ($1, $2, $3, now() + interval '7 days', now())`,
            [id, token, userId],
          )
          .catch((error: unknown) => {
            throw isDisabled(error) ? errors.personDisabled({}) : error
          })
        await tx.query('INSERT INTO identity.session_tenant (session_id, tenant_id) VALUES ($1, $2)', [
          id,
          tenantId,
        ])
        return { token, user }
      }),
    end: (sessionId) => runControl((tx) => endSession(tx, sessionId)),
  }
}

// Sessions by their id, where better-auth knows them by their token.
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import type { Actor } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { Credential } from './credential.ts'

interface SessionRow {
  id: string
  name: string
  email: string
  tenant_id: string | null
}

export interface Sessions {
  /** Whose live session this is, and which tenant it is confined to. */
  find(sessionId: string): Promise<Pick<Credential, 'actor' | 'tenantClaim'> | undefined>
  /** Ends it at once, in every process. */
  end(sessionId: string): Promise<void>
}

export async function endSession(tx: ControlTransaction, sessionId: string): Promise<void> {
  await tx.query('DELETE FROM identity.session WHERE "id" = $1', [sessionId])
  // The database tells every process by a trigger; this is what is waited for.
  await tx.announce({ kind: 'session', id: sessionId })
}

export function createSessions(pool: pg.Pool, runControl: RunControl): Sessions {
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
      const { tenant_id: tenantClaim, ...person } = row
      const actor: Actor = { ...person, session: sessionId }
      return tenantClaim === null ? { actor } : { actor, tenantClaim }
    },
    end: (sessionId) => runControl((tx) => endSession(tx, sessionId)),
  }
}

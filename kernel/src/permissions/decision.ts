// The id of a refusal: what was asked, sealed, so that nothing need be kept and any process can read it. It tells nobody
// anything but the tenant's own administrators, for an hour.
import type { Seal } from '../outside/seal.ts'

export interface Question {
  readonly user: string
  /** A permission: `finance.journalEntry.post`. */
  readonly action: string
  readonly record?: string
  readonly field?: string
}

export interface Decisions {
  idOf(tenantId: string, question: Question): string
  /** Undefined for one of another tenant, one that is too old, and anything else. */
  read(tenantId: string, id: string): Question | undefined
}

const lifetimeMs = 3_600_000

export function createDecisions(seal: Seal): Decisions {
  const place = (tenantId: string) => [tenantId, 'kernel', 'decision', ''] as const
  return {
    idOf: (tenantId, { user, action, record, field }) =>
      seal
        .close(JSON.stringify([Date.now(), user, action, record ?? null, field ?? null]), place(tenantId))
        .toString('base64url'),
    read(tenantId, id) {
      try {
        const text = seal.open(Buffer.from(id, 'base64url'), place(tenantId))
        const [at, user, action, record, field]: [number, string, string, string | null, string | null] =
          JSON.parse(text)
        if (Date.now() - at > lifetimeMs) return undefined
        return {
          user,
          action,
          ...(record === null ? {} : { record }),
          ...(field === null ? {} : { field }),
        }
      } catch {
        return undefined
      }
    },
  }
}

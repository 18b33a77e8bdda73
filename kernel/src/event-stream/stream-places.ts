// How many streams there are, of one person, of one tenant, and in this process. A place is held until it is given back.
import { errors } from '../errors.ts'

export const streamLimits = Object.freeze({ ofPerson: 10, ofTenant: 200, inAll: 2_000 })

export interface StreamPlaces {
  /** Answers with what gives it back. @throws STREAMS_FULL */
  take(tenant: string, person: string): () => void
}

export function createStreamPlaces(limits: typeof streamLimits = streamLimits): StreamPlaces {
  const counts = new Map<string, number>()
  const counted = (key: string, by: 1 | -1) => {
    const count = (counts.get(key) ?? 0) + by
    if (count > 0) counts.set(key, count)
    else counts.delete(key)
  }
  return {
    take(tenant, person) {
      const kinds = [
        { key: `${tenant} ${person}`, whose: 'yours', most: limits.ofPerson },
        { key: tenant, whose: 'of the tenant', most: limits.ofTenant },
        { key: '', whose: 'of this process', most: limits.inAll },
      ] as const
      const full = kinds.find(({ key, most }) => (counts.get(key) ?? 0) >= most)
      if (full) throw errors.streamsFull({ whose: full.whose, most: full.most })
      for (const { key } of kinds) counted(key, 1)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        for (const { key } of kinds) counted(key, -1)
      }
    },
  }
}

// The operator: whoever holds the installation's operator token. He acts above tenants and is a member of none.
import { createHash, timingSafeEqual } from 'node:crypto'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Arrival, Operated } from '../stages.ts'

export type RecogniseOperator = (arrival: Arrival, authorization: string | undefined) => Operated

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** @throws OPERATOR_REQUIRED from the function that comes back */
export function createRecogniseOperator(token: string, off: DefencesOff = allStand): RecogniseOperator {
  const expected = digest(token)
  return (arrival, authorization) => {
    const given = /^bearer (\S{1,512})$/i.exec(authorization ?? '')?.[1]
    if (off.has('operatorToken')) return { ...arrival, operator: 'operator' }
    // Digests have one length, so comparing them tells nothing of the token's.
    if (given === undefined || !timingSafeEqual(digest(given), expected)) throw errors.operatorRequired({})
    return { ...arrival, operator: 'operator' }
  }
}

// The operator: whoever holds the installation's operator token. He acts above tenants and is a member of none.
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Arrival, Operated } from '../stages.ts'
import type { RecordRefusal } from './refused-operators.ts'
import { isSameToken } from './same-token.ts'

export type RecogniseOperator = (arrival: Arrival, authorization: string | undefined) => Operated

/** @throws OPERATOR_REQUIRED from the function that comes back */
export function createRecogniseOperator(
  token: string,
  recordRefusal: RecordRefusal,
  off: DefencesOff = allStand,
): RecogniseOperator {
  return (arrival, authorization) => {
    const given = /^bearer (\S{1,512})$/i.exec(authorization ?? '')?.[1]
    if (off.has('operatorToken')) return { ...arrival, operator: 'operator' }
    if (given === undefined || !isSameToken(given, token)) {
      // Who shows nothing has tried nothing.
      if (authorization !== undefined) recordRefusal(arrival)
      throw errors.operatorRequired({})
    }
    return { ...arrival, operator: 'operator' }
  }
}

// The rows of errors.ts on what a caller may do.
import { defineError } from '../plinth-error.ts'

export const accessErrors = {
  forbidden: defineError<{ permission: string; record?: string; field?: string }>(
    'FORBIDDEN',
    403,
    'info',
    (d) =>
      `You lack the permission '${d.permission}'${d.field === undefined ? '' : ` for the field '${d.field}'`}.`,
  ),
  dutyConflict: defineError<{
    duty: string
    first: string
    second: string
    permission?: string
    record?: string
  }>(
    'DUTY_CONFLICT',
    403,
    'info',
    (d) =>
      `'${d.first}' and '${d.second}' are kept apart${d.record === undefined ? ' and would meet in one person' : ': who did one on the record does not do the other'} (${d.duty}).`,
  ),
  tooMany: defineError<{ what: string; most: number }>(
    'TOO_MANY',
    409,
    'info',
    (d) => `There may be ${d.most} ${d.what} at most.`,
  ),
  decisionUnknown: defineError<Record<string, never>>(
    'DECISION_UNKNOWN',
    404,
    'info',
    () => 'There is no such decision of this tenant, or it is older than an hour.',
  ),
}

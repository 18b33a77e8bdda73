// The rows of errors.ts on who the caller is.
import { defineError, type ErrorDefinition, PlinthError } from '../plinth-error.ts'

type Nothing = Record<string, never>

// better-auth refuses with its own status and code; they are data here, so that the table stays complete.
function defineIdentityError(): ErrorDefinition<{ status: number; code: string; reason: string }> {
  const code = 'IDENTITY_REFUSED'
  const make = (data: { status: number; code: string; reason: string }, cause?: unknown) =>
    new PlinthError(code, data.status, 'info', data.reason, { reason: data.code }, cause)
  return Object.assign(make, { code, status: 400 })
}

export const identityErrors = {
  unauthenticated: defineError<Nothing>(
    'UNAUTHENTICATED',
    401,
    'info',
    () => 'Sign in first and send the token as "Authorization: Bearer <token>".',
  ),
  identityRefused: defineIdentityError(),
  operatorRequired: defineError<Nothing>(
    'OPERATOR_REQUIRED',
    401,
    'info',
    () => 'This is for the operator. Send the operator token as "Authorization: Bearer <token>".',
  ),
}

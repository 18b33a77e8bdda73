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
  mailNotConfigured: defineError<Nothing>(
    'MAIL_NOT_CONFIGURED',
    503,
    'warn',
    () => 'This sends a mail, and no mail server is set. The operator sets one with PLINTH_SMTP_URL.',
  ),
  linkInvalid: defineError<Nothing>(
    'LINK_INVALID',
    410,
    'info',
    () => 'This link is unknown, was used already, or is too old. Ask for a new one.',
  ),
  emailManaged: defineError<{ domain: string }>(
    'EMAIL_MANAGED',
    403,
    'info',
    (d) =>
      `A tenant that you belong to keeps the addresses of '${d.domain}'. Ask its administrators to change yours, or leave it first.`,
  ),
  invitationRequired: defineError<Nothing>(
    'INVITATION_REQUIRED',
    403,
    'info',
    () => 'People of this installation are asked first: send an invitation, POST /v1/tenant/invitations.',
  ),
  invitationForAnother: defineError<Nothing>(
    'INVITATION_FOR_ANOTHER',
    403,
    'info',
    () => 'The invitation was sent to another address. Sign in with the account of that address.',
  ),
  invitationNeedsSignIn: defineError<Nothing>(
    'INVITATION_NEEDS_SIGN_IN',
    409,
    'info',
    () => 'There is an account with the address of the invitation: sign in and accept it then.',
  ),
  invitationLimit: defineError<{ limit: number; retryAfter: number }>(
    'INVITATION_LIMIT',
    429,
    'warn',
    (d) => `This tenant has sent ${d.limit} invitations within a day. Send the next ones later.`,
  ),
  tooManyAttempts: defineError<{ retryAfter: number }>(
    'TOO_MANY_ATTEMPTS',
    429,
    'warn',
    (d) => `Too many attempts failed. Try again in ${d.retryAfter} seconds.`,
  ),
  emailNotVerified: defineError<Nothing>(
    'EMAIL_NOT_VERIFIED',
    403,
    'info',
    () => 'Confirm your e-mail address first, with the link in the mail that was sent to it.',
  ),
  personDisabled: defineError<Nothing>(
    'PERSON_DISABLED',
    403,
    'info',
    () => 'This account was disabled by the operator of the installation.',
  ),
  passwordRefused: defineError<{ reason: string }>('PASSWORD_REFUSED', 422, 'info', (d) => d.reason),
  sessionRequired: defineError<Nothing>(
    'SESSION_REQUIRED',
    403,
    'info',
    () => 'This changes your session. Send the token of the session itself.',
  ),
  wrongPassword: defineError<Nothing>('WRONG_PASSWORD', 403, 'info', () => 'The password is not right.'),
  wrongCode: defineError<Nothing>(
    'WRONG_CODE',
    401,
    'info',
    () => 'The code is not right, was used already, or belongs to a sign-in that is over.',
  ),
  passkeyRefused: defineError<{ reason: string }>(
    'PASSKEY_REFUSED',
    401,
    'info',
    (d) => `The passkey was not accepted: ${d.reason}`,
  ),
  operatorRequired: defineError<Nothing>(
    'OPERATOR_REQUIRED',
    401,
    'info',
    () => 'This is for the operator. Send the operator token as "Authorization: Bearer <token>".',
  ),
}

// The POST routes whose answer is kept right behind their commit, and not in it: a process that dies between the two leaves
// 409 IDEMPOTENCY_ANSWER_GONE. Each with why, and what its client does then. Every other one keeps its answer with the change.

const betterAuth =
  'better-auth changes accounts in transactions of its own; sent again with a new key it is refused or does it once more'
const operation =
  'it answers with how far the operation has come after a second; GET /v1/operator/operations has it'

export const keptBehind: Readonly<Record<string, string>> = {
  '/v1/me/password': betterAuth,
  '/v1/me/email':
    'it sends a mail, at most; whether it does depends on what nobody is to learn from the answer',
  '/v1/me/totp': betterAuth,
  '/v1/me/totp/confirm': betterAuth,
  '/v1/me/totp/disable': betterAuth,
  '/v1/me/recovery-codes': betterAuth,
  '/v1/me/passkeys/options': 'it begins something, which can be begun again',
  '/v1/me/passkeys': 'the device answers one question once; GET /v1/me/passkeys has what was added',
  '/v1/me/passkeys/{id}/remove': betterAuth,
  '/v1/tenant/approvals/{id}/decision':
    'it is carried out with the rights of the module; GET /v1/tenant/approvals/{id} says who decided what',
  '/v1/tenant/approvals/{id}/withdraw': 'as a decision',
  '/v1/operator/plugins': operation,
  '/v1/operator/plugins/{module}/upgrade': operation,
  '/v1/operator/plugins/{module}/rollback': operation,
  '/v1/operator/plugins/{module}/disable': operation,
  '/v1/operator/plugins/{module}/enable': operation,
  '/v1/operator/operations/{id}/cancel': operation,
}

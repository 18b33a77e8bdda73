// How often a route is asked, from 0 to 1: seldom what ends the game for everybody, and what costs a password's hash.
import type { Route } from './api-routes.ts'

const seldom: Readonly<Record<string, number>> = {
  'POST /v1/auth/sign-up/email': 0.01,
  'POST /v1/auth/sign-in/email': 0.01,
  'POST /v1/auth/sign-out': 0.02,
  'POST /v1/tenants': 0.02,
  'POST /v1/tenant/close': 0.01,
  'POST /v1/tenant/ownership': 0.01,
  'POST /v1/tenant/domains/{domain}/verify': 0.1,
  'DELETE /v1/tenant/modules/{module}': 0.06,
  'POST /v1/me/password': 0.01,
  'POST /v1/me/email': 0.01,
  'POST /v1/me/totp': 0.01,
  'POST /v1/me/totp/confirm': 0.05,
  'POST /v1/me/totp/disable': 0.01,
  'POST /v1/me/recovery-codes': 0.01,
  'DELETE /v1/me/sessions': 0.02,
  'DELETE /v1/me/sessions/{id}': 0.05,
  'POST /v1/auth/password/forgot': 0.05,
  'POST /v1/auth/password/reset': 0.02,
  'POST /v1/auth/email/verify': 0.05,
  'POST /v1/auth/email/confirm': 0.05,
  // Few items that come in often, and few orders: or none of them were ever shipped.
  'POST /v1/oms/items': 0.15,
  'POST /v1/oms/orders': 0.4,
  'POST /v1/oms/orders/{id}/cancel': 0.1,
  'DELETE /v1/oms/orders/{id}': 0.1,
  'POST /v1/finance/invoices/{id}/void': 0.1,
  'GET /v1/tenant/audit.csv': 0.1,
  'DELETE /v1/tenant/sso': 0.1,
  'PUT /v1/tenant/sso': 0.1,
  'PUT /v1/tenant/sso/saml': 0.1,
  'GET /metrics': 0.1,
  'GET /health/live': 0.1,
  'GET /health/ready': 0.1,
  'GET /openapi.json': 0.1,
}

export function weightOf({ key, method, path }: Route): number {
  const known = Object.hasOwn(seldom, key) ? seldom[key] : undefined
  if (known !== undefined) return known
  if (path.startsWith('/v1/operator/')) return 0.15
  return method === 'DELETE' ? 0.4 : 1
}

/** Routes that are answered with what they are for only where something is that the hunt has not got. */
export const unansweredHere: ReadonlySet<string> = new Set([
  // A name server that has the record.
  'POST /v1/tenant/domains/{domain}/verify',
  'POST /v1/tenant/sso/domains/{domain}/verify',
  // An identity provider.
  'GET /v1/auth/sso/start',
  'GET /v1/auth/sso/callback',
  'POST /v1/auth/sso/session',
  'GET /v1/tenant/sso',
  'PUT /v1/tenant/sso',
  'DELETE /v1/tenant/sso',
  'PUT /v1/tenant/sso/saml',
  'POST /v1/auth/sso/saml/{tenant}/acs',
  'GET /v1/auth/sso/saml/landed',
  // A module that asks for approvals.
  'POST /v1/tenant/approval-chains',
  'GET /v1/tenant/approval-chains/{id}',
  'PUT /v1/tenant/approval-chains/{id}',
  'DELETE /v1/tenant/approval-chains/{id}',
  'GET /v1/tenant/approvals/{id}',
  'POST /v1/tenant/approvals/{id}/decision',
  'POST /v1/tenant/approvals/{id}/withdraw',
  // Stock is changed by what is done to it, and by nobody's hand.
  'POST /v1/oms/stock',
  'PATCH /v1/oms/stock/{id}',
  'DELETE /v1/oms/stock/{id}',
  'POST /v1/oms/stock-moves',
  'PATCH /v1/oms/stock-moves/{id}',
  'DELETE /v1/oms/stock-moves/{id}',
  // A module with jobs; they are attacked in jobs.test.ts.
  'GET /v1/tenant/jobs/{id}',
  'POST /v1/tenant/jobs/{id}/cancel',
  'POST /v1/tenant/jobs/{id}/retry',
  'POST /v1/tenant/modules/{module}/jobs/{job}',
  // The link in a mail.
  'POST /v1/auth/password/reset',
  'POST /v1/auth/email/confirm',
  // A session of one's own that has not ended meanwhile.
  'DELETE /v1/me/sessions/{id}',
  'POST /v1/auth/invitations/look',
  'POST /v1/auth/invitations/accept',
  // A module that was switched off before.
  'POST /v1/tenant/modules',
  // People of a domain that a provider was set up for.
  'POST /scim/v2/Users',
  'GET /scim/v2/Users/{id}',
  'PUT /scim/v2/Users/{id}',
  'PATCH /scim/v2/Users/{id}',
  'DELETE /scim/v2/Users/{id}',
  'POST /scim/v2/Groups',
  'GET /scim/v2/Groups/{id}',
  'PUT /scim/v2/Groups/{id}',
  'PATCH /scim/v2/Groups/{id}',
  'DELETE /scim/v2/Groups/{id}',
  'GET /scim/v2/ResourceTypes/{id}',
  'GET /scim/v2/Schemas/{id}',
  // An authenticator, and its codes.
  'POST /v1/me/passkeys',
  'POST /v1/me/passkeys/{id}/remove',
  'POST /v1/auth/passkey/sign-in',
  'POST /v1/auth/sign-in/second-factor',
  'POST /v1/me/totp/confirm',
  'POST /v1/me/totp/disable',
  'POST /v1/me/recovery-codes',
])

// A tenant's connection as its admins see it, with what the provider is to be told.
import type { SamlProvider } from '../identity/sso/saml/saml-provider.ts'
import type { SsoConnection } from '../tenants/sso/connection.ts'

export function connectionView(
  connection: SsoConnection,
  tenantId: string,
  parts: { readonly redirectUri: string; readonly saml: Pick<SamlProvider, 'addressesOf'> },
) {
  const { saml, ...rest } = connection
  if (!saml) return { ...rest, redirectUri: parts.redirectUri }
  const { entityId, acs, metadata } = parts.saml.addressesOf(tenantId)
  return { ...rest, redirectUri: acs, saml: { ...saml, audience: entityId, metadata } }
}

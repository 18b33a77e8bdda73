// Shapes of SAML: how a tenant's provider is set up, and what it posts.
import Type, { type Static } from 'typebox'
import { longestSamlResponse } from '../identity/sso/saml/saml-provider.ts'
import { ssoSettings } from './sso-schemas.ts'

const url = Type.String({ minLength: 8, maxLength: 1_000, pattern: '^https?://[^\\s#<>"]+$' })
const attribute = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }))

const given = {
  issuer: Type.Optional(
    Type.String({ minLength: 1, maxLength: 500, pattern: '^[^\\s<>]+$', description: 'Its entity id.' }),
  ),
  entryPoint: Type.Optional(url),
  certificates: Type.Optional(
    Type.Array(Type.String({ minLength: 100, maxLength: 10_000, description: 'X.509, in PEM or base64.' }), {
      minItems: 1,
      maxItems: 10,
      description: 'The ones it signs with. During a change of keys both.',
    }),
  ),
}

export const samlBody = Type.Object(
  {
    metadata: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 400_000,
        description: 'Its metadata, an EntityDescriptor, instead of issuer, entryPoint and certificates.',
      }),
    ),
    ...given,
    emailAttribute: attribute('Left out: email, mail and the usual names, then a NameID that is an address.'),
    nameAttribute: attribute('Left out: displayName, name and the usual names.'),
    justInTime: Type.Optional(ssoSettings.justInTime),
    defaultRole: Type.Optional(ssoSettings.defaultRole),
    groupClaim: attribute('Attribute with names of groups.'),
    groupRoles: Type.Optional(ssoSettings.groupRoles),
    enforced: Type.Optional(ssoSettings.enforced),
  },
  { additionalProperties: false },
)
export type SamlBody = Static<typeof samlBody>

export const samlTenant = Type.Object({
  tenant: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }),
})

export const samlForm = Type.Object(
  {
    SAMLResponse: Type.String({ minLength: 1, maxLength: longestSamlResponse }),
    RelayState: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: true },
)
export type SamlForm = Static<typeof samlForm>

export const landedQuery = Type.Object({ state: Type.Optional(Type.String({ maxLength: 200 })) })

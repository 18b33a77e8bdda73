// Shapes of single sign-on: its settings, its domains, and the sign-in itself.
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const role = Type.Union([Type.Literal('admin'), Type.Literal('member')])

const groupRole = Type.String({
  pattern: '^(admin|member|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$',
  description: 'admin, member, or the id of a role',
})
const groupRoleList = Type.Array(groupRole, { minItems: 1, maxItems: 20 })

/** What a connection of either protocol has. */
export const ssoSettings = {
  issuer: Type.String({
    minLength: 8,
    maxLength: 500,
    pattern: '^https?://[^\\s?#]+$',
    description: 'As it stands in its own configuration; https.',
  }),
  clientId: Type.String({ minLength: 1, maxLength: 500 }),
  justInTime: Type.Boolean({ description: 'People the provider knows become members by signing in.' }),
  defaultRole: role,
  groupClaim: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'Claim of the ID token with names of groups.' }),
  ),
  groupRoles: Type.Record(
    Type.String({ minLength: 1, maxLength: 200 }),
    Type.Union([groupRole, groupRoleList]),
    {
      maxProperties: 200,
      description:
        'By group: admin, member, ids of roles of the tenant, or a list of these. The highest membership counts, and who is given none has the default role; of the other roles he has all.',
    },
  ),
  acceptUnmarkedEmail: Type.Boolean({
    description: 'Believe an address of a verified domain when the provider sends no email_verified.',
  }),
  enforced: Type.Boolean({
    description: 'People of the verified domains enter by the provider alone, but for owners.',
  }),
}

export const connectionShape = Type.Object({
  ...ssoSettings,
  protocol: Type.String({ description: 'oidc or saml' }),
  issuer: Type.String({ description: 'Of OpenID Connect, or the entity id of SAML.' }),
  clientId: Type.Optional(Type.String({ description: 'Of OpenID Connect.' })),
  saml: Type.Optional(
    Type.Object({
      entryPoint: Type.String(),
      certificates: Type.Array(Type.String({ description: 'X.509 in base64.' })),
      emailAttribute: Type.Optional(Type.String()),
      nameAttribute: Type.Optional(Type.String()),
      audience: Type.String({ description: 'Our entity id.' }),
      metadata: Type.String({ description: 'Where our metadata is.' }),
    }),
  ),
  redirectUri: Type.String({ description: 'To be registered at the provider; of SAML the ACS URL.' }),
  version: Type.Integer(),
  updatedAt: timestamp,
  updatedBy: Type.String(),
})
export const connectionBody = Type.Object(
  {
    issuer: ssoSettings.issuer,
    clientId: ssoSettings.clientId,
    clientSecret: Type.Optional(
      Type.String({ minLength: 8, maxLength: 2_000, description: 'Left out: as before.' }),
    ),
    justInTime: Type.Optional(ssoSettings.justInTime),
    defaultRole: Type.Optional(ssoSettings.defaultRole),
    groupClaim: ssoSettings.groupClaim,
    groupRoles: Type.Optional(ssoSettings.groupRoles),
    acceptUnmarkedEmail: Type.Optional(ssoSettings.acceptUnmarkedEmail),
    enforced: Type.Optional(ssoSettings.enforced),
  },
  closed,
)
export const ssoDomainShape = Type.Object({
  domain: Type.String(),
  record: Type.String({ description: 'Name of the TXT record that shows whose domain it is.' }),
  value: Type.String({ description: 'What it must hold.' }),
  verifiedAt: Type.Optional(timestamp),
  checkedAt: Type.Optional(timestamp),
  failingSince: Type.Optional(timestamp),
})
export const ssoDomainBody = Type.Object({ domain: Type.String({ minLength: 1, maxLength: 253 }) }, closed)

export const startQuery = Type.Object(
  {
    email: Type.Optional(Type.String({ minLength: 3, maxLength: 254, pattern: '^[^@\\s]+@[^@\\s]+$' })),
    tenant: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Slug or id.' })),
    returnTo: Type.Optional(
      Type.String({
        maxLength: 500,
        // A path of the client and nothing that a browser reads as another host.
        pattern: '^/(?![/\\\\])[\\x21-\\x5b\\x5d-\\x7e]*$',
        description: 'Path of the client to come back to, with sso_ticket in its query.',
      }),
    ),
  },
  closed,
)
export const callbackQuery = Type.Object(
  { state: Type.Optional(Type.String({ maxLength: 200 })) },
  { additionalProperties: { type: 'string', maxLength: 4_000 } },
)
export const ticketBody = Type.Object({ ticket: Type.String({ pattern: '^[\\w-]{43}$' }) }, closed)

export type ConnectionBody = Static<typeof connectionBody>
export type SsoDomainBody = Static<typeof ssoDomainBody>
export type StartQuery = Static<typeof startQuery>
export type TicketBody = Static<typeof ticketBody>

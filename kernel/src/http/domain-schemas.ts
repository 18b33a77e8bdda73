// Shapes of a tenant's own domains.
import Type, { type Static } from 'typebox'

export const domainBody = Type.Object(
  {
    domain: Type.String({
      minLength: 1,
      maxLength: 253,
      description:
        'A name under a public suffix, such as erp.acme.example. Unicode is taken in its ASCII form.',
    }),
  },
  { additionalProperties: false },
)
const timestamp = Type.String({ format: 'date-time' })
export const domainShape = Type.Object({
  domain: Type.String(),
  state: Type.Union(['pending', 'verified', 'failing'].map((state) => Type.Literal(state))),
  record: Type.Object(
    { type: Type.Literal('TXT'), name: Type.String(), value: Type.String() },
    { description: 'What DNS must say.' },
  ),
  addedAt: timestamp,
  verifiedAt: Type.Optional(timestamp),
  checkedAt: Type.Optional(timestamp),
  failingSince: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'The record is gone. Three days later the domain is, too.',
    }),
  ),
})
export const defaultTenantBody = Type.Object(
  {
    tenant: Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()], {
      description: 'Slug or id of one of your tenants; null for none.',
    }),
  },
  { additionalProperties: false },
)
export const defaultTenantShape = Type.Object({
  tenant: Type.Union([Type.Object({ id: Type.String(), slug: Type.String() }), Type.Null()]),
})

export type DomainBody = Static<typeof domainBody>
export type DefaultTenantBody = Static<typeof defaultTenantBody>

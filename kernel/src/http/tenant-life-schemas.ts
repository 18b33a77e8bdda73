// Shapes of what is done to the tenant itself, by its owner and by the operator.
import Type, { type Static } from 'typebox'
import { newTenantBody, pageQuery, tenantShape } from './schemas.ts'

const closed = { additionalProperties: false }
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const timestamp = Type.String({ format: 'date-time' })
const locale = Type.String({ maxLength: 64, description: 'BCP 47, such as en-IN.' })
const timeZone = Type.String({ maxLength: 64, description: 'IANA, such as Asia/Kolkata.' })
const country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1, such as IN.' })
const name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })
const reason = Type.String({ maxLength: 500 })
const states = ['active', 'trialing', 'past_due', 'read_only', 'suspended', 'closing', 'closed'] as const
const state = Type.Union(states.map((one) => Type.Literal(one)))
const newState = Type.Union(
  (['active', 'trialing', 'past_due', 'read_only', 'suspended'] as const).map((one) => Type.Literal(one)),
)
const consent = Type.Object({ http: Type.Array(Type.String({ maxLength: 259 }), { maxItems: 50 }) }, closed)

const onboarding = {
  locale: Type.Optional(locale),
  timeZone: Type.Optional(timeZone),
  company: Type.Optional(
    Type.Object({ name, country: Type.Optional(country) }, { ...closed, description: 'The first company.' }),
  ),
  modules: Type.Optional(
    Type.Array(
      Type.Object(
        { module: Type.String({ minLength: 1, maxLength: 64 }), consent: Type.Optional(consent) },
        closed,
      ),
      { maxItems: 50, description: 'Enabled in this order, all or none.' },
    ),
  ),
}
export const onboardingBody = Type.Object({ ...newTenantBody.properties, ...onboarding }, closed)
export const operatorTenantBody = Type.Object(
  {
    ...newTenantBody.properties,
    ...onboarding,
    owner: Type.Object(
      { email: Type.String({ minLength: 3, maxLength: 254, pattern: '^[^@\\s]+@[^@\\s]+$' }) },
      { ...closed, description: 'Who has no account yet is invited by mail.' },
    ),
    state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('trialing')])),
  },
  closed,
)

const profile = {
  name: Type.Optional(name),
  locale: Type.Optional(locale),
  timeZone: Type.Optional(timeZone),
  country: Type.Optional(nullable(country)),
  company: Type.Optional(nullable(name)),
}
export const profileBody = Type.Object(profile, closed)
export const operatorProfileBody = Type.Object(
  { ...profile, plan: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) },
  closed,
)
export const ownerBody = Type.Object({ email: operatorTenantBody.properties.owner.properties.email }, closed)
export const closeBody = Type.Object(
  {
    confirm: Type.String({ maxLength: 64, description: "The tenant's slug, written once more." }),
    reason: Type.Optional(reason),
  },
  closed,
)
export const operatorCloseBody = Type.Object(
  {
    days: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_650,
        description: 'Until the erasure; PLINTH_CLOSING_DAYS when left out.',
      }),
    ),
    reason: Type.Optional(reason),
  },
  closed,
)
export const confirmBody = Type.Object({ confirm: closeBody.properties.confirm }, closed)
export const stateBody = Type.Object({ state: newState, reason: Type.Optional(reason) }, closed)
export const ownershipBody = Type.Object({ userId: Type.String({ minLength: 1, maxLength: 64 }) }, closed)
export const tenantsQuery = Type.Object(
  {
    ...pageQuery.properties,
    state: Type.Optional(state),
    plan: Type.Optional(Type.String({ maxLength: 64 })),
    search: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'A part of slug or name.' }),
    ),
  },
  closed,
)

const about = {
  state,
  eraseAfter: Type.Optional(timestamp),
  locale: Type.String(),
  timeZone: Type.String(),
  country: Type.Optional(Type.String()),
  company: Type.Optional(Type.String()),
  version: Type.Integer(),
}
export const ownTenantShape = Type.Object({
  ...tenantShape.properties,
  ...about,
  reason: Type.Optional(Type.String({ description: 'Why it is in this state; for owners.' })),
})
export const tenantRecordShape = Type.Object({
  id: Type.String({ format: 'uuid' }),
  slug: Type.String(),
  name: Type.String(),
  currency: Type.String(),
  plan: Type.String(),
  ...about,
  stateSince: timestamp,
  reason: Type.Optional(Type.String()),
  members: Type.Integer(),
  owners: Type.Array(Type.String()),
  invitedOwner: Type.Optional(
    Type.String({ description: 'Was asked by mail to own it, and has not accepted yet.' }),
  ),
  modules: Type.Array(Type.String()),
  createdAt: timestamp,
})

export const receiptShape = Type.Object({
  tenant: Type.String(),
  slug: Type.String(),
  state: Type.Union([Type.Literal('running'), Type.Literal('succeeded')]),
  askedBy: Type.String(),
  startedAt: timestamp,
  finishedAt: Type.Optional(timestamp),
  tables: Type.Optional(
    Type.Record(Type.String(), Type.Integer(), { description: 'Rows that went, by schema and table.' }),
  ),
  rows: Type.Optional(Type.Integer()),
  digest: Type.Optional(
    Type.String({
      description: 'SHA-256 of the receipt; it stands in the audit trail of the installation too.',
    }),
  ),
})

export type OnboardingBody = Static<typeof onboardingBody>
export type OperatorTenantBody = Static<typeof operatorTenantBody>
export type ProfileBody = Static<typeof profileBody>
export type OperatorProfileBody = Static<typeof operatorProfileBody>
export type CloseBody = Static<typeof closeBody>
export type OperatorCloseBody = Static<typeof operatorCloseBody>
export type OwnerBody = Static<typeof ownerBody>
export type ConfirmBody = Static<typeof confirmBody>
export type StateBody = Static<typeof stateBody>
export type OwnershipBody = Static<typeof ownershipBody>
export type TenantsQuery = Static<typeof tenantsQuery>

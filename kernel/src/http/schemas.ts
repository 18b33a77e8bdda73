// Shapes of the kernel's own API, in JSON Schema: they check bodies and stand in /openapi.json.
import Type, { type Static } from 'typebox'

export const problemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; see docs/errors.md.' }),
    detail: Type.String(),
    requestId: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), code: Type.String(), message: Type.String() })),
    ),
    more: Type.Optional(
      Type.Integer({ description: 'How many wrong fields there are besides the 50 in errors.' }),
    ),
  },
  { description: 'An RFC 9457 problem document.', additionalProperties: true },
)

/** The answers every route can give besides its own. */
export const problemResponses = {
  '4xx': {
    description: 'The request was refused.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
  '5xx': {
    description: 'The request failed. Nothing was changed, but for COMMIT_UNCERTAIN: that is not known.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
}

/** `problemResponses` that list the codes a module declares. */
export function moduleProblems(errors: Readonly<Record<string, { readonly status: number }>>) {
  const codes = Object.entries(errors).map(([code, { status }]) => `${code} (${status})`)
  const description = [
    'The request was refused.',
    ...(codes.length > 0 ? [`Codes of this module: ${codes.join(', ')}.`] : []),
  ]
  return { ...problemResponses, '4xx': { ...problemResponses['4xx'], description: description.join(' ') } }
}

export const tenantHeader = Type.Object({
  'x-tenant-id': Type.Optional(
    Type.String({ description: 'Slug or id of the tenant. May be left out by a person with one tenant.' }),
  ),
})

const closed = { additionalProperties: false }
const slug = Type.String({
  pattern: '^(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
  description:
    'Lower-case letters, digits and hyphens, 63 at most, not in the form of an id; unique in the installation.',
})
const role = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('member')])
const email = Type.String({ minLength: 3, maxLength: 254, pattern: '^[^@\\s]+@[^@\\s]+$' })
const password = Type.String({ minLength: 10, maxLength: 256 })
const timestamp = Type.String({ format: 'date-time' })
const price = Type.Object({ amount: Type.String(), currency: Type.String(), per: Type.Literal('month') })
const list = Type.Array(Type.String())

export const signUpBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' }), email, password },
  closed,
)
export const signInBody = Type.Object(
  { email, password: Type.String({ minLength: 1, maxLength: 256 }) },
  closed,
)
export const signedIn = Type.Object({
  token: Type.String({ description: 'Send it as "Authorization: Bearer <token>".' }),
  user: Type.Object({ id: Type.String(), name: Type.String(), email: Type.String() }),
})

export const newTenantBody = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' }),
    slug,
    currency: Type.Optional(
      Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217; INR when left out.' }),
    ),
    plan: Type.Optional(Type.String({ maxLength: 64, description: 'starter when left out.' })),
  },
  closed,
)
export const tenantShape = Type.Object({
  id: Type.String({ format: 'uuid' }),
  slug: Type.String(),
  name: Type.String(),
  currency: Type.String(),
  plan: Type.String(),
  role,
  createdAt: timestamp,
})

export const memberShape = Type.Object({
  userId: Type.String(),
  name: Type.String(),
  email: Type.String(),
  role,
  active: Type.Boolean({ description: 'False: he keeps his place, and cannot enter.' }),
  since: timestamp,
})
export const newMemberBody = Type.Object({ email, role }, closed)
export const memberBody = Type.Object(
  { role: Type.Optional(role), active: Type.Optional(Type.Boolean()) },
  { ...closed, minProperties: 1 },
)

export const catalogueShape = Type.Object({
  id: Type.String({
    description: 'Module id, as in POST /v1/tenant/modules; the commercial code when no plugin provides it.',
  }),
  code: Type.Optional(Type.String({ description: 'Commercial code in the price book.' })),
  title: Type.String(),
  version: Type.Optional(Type.String()),
  price: Type.Optional(price),
  requires: list,
  asks: Type.Object(
    {
      http: list,
      sql: Type.Optional(Type.Union([Type.Literal('read'), Type.Literal('write')])),
      secrets: Type.Optional(
        Type.Array(Type.Object({ name: Type.String(), title: Type.String(), host: Type.String() })),
      ),
    },
    {
      description:
        'Powers beyond its own records: outside hosts, SQL on its own tables, secrets for those hosts.',
    },
  ),
  available: Type.Boolean(),
  note: Type.Optional(Type.String()),
})
export const planShape = Type.Object({
  id: Type.String(),
  title: Type.String(),
  price,
  includes: list,
  requestsPerMinute: Type.Optional(
    Type.Integer({
      description: 'Of the tenant; where it is absent, and in the next two: as the installation is set.',
    }),
  ),
  userRequestsPerMinute: Type.Optional(Type.Integer()),
  keyRequestsPerMinute: Type.Optional(Type.Integer()),
})

export const consentBody = Type.Object(
  {
    http: Type.Array(Type.String({ minLength: 1, maxLength: 259 }), {
      maxItems: 50,
      description: 'Outside hosts that the module may reach, of those it asks for.',
    }),
  },
  closed,
)
export const consentShape = Type.Object({
  http: list,
  missing: Type.Array(Type.String(), { description: 'Asked for and not consented to: refused when used.' }),
  changedAt: Type.Optional(timestamp),
  changedBy: Type.Optional(Type.String()),
})
export const moduleBody = Type.Object(
  { module: Type.String({ minLength: 1, maxLength: 64 }), consent: Type.Optional(consentBody) },
  closed,
)
export const enabledModuleShape = Type.Object({
  module: Type.String(),
  title: Type.String(),
  version: Type.Optional(Type.String()),
  available: Type.Boolean(),
  consent: Type.Optional(consentShape),
})

/** Shorter ones stand in any text by chance, and would be taken out of every answer. */
export const secretBody = Type.Object({ value: Type.String({ minLength: 8, maxLength: 8_192 }) }, closed)
export const secretShape = Type.Object({
  name: Type.String(),
  title: Type.String(),
  host: Type.String({ description: 'The only host it is sent to.' }),
  isSet: Type.Boolean({ description: 'For this host.' }),
  setFor: Type.Optional(
    Type.String({ description: 'Another host, which it was set for: it is not sent until it is set again.' }),
  ),
  setAt: Type.Optional(timestamp),
  setBy: Type.Optional(Type.String()),
})

export const listOf = <T extends Type.TSchema>(items: T) =>
  Type.Object({ items: Type.Array(items), cursor: Type.Optional(Type.String()) })

export const pageQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.String({ pattern: '^([1-9][0-9]?|1[0-9][0-9]|200)$', description: '1 to 200; 50 when left out.' }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 500 })),
  },
  closed,
)

export type SignUpBody = Static<typeof signUpBody>
export type SignInBody = Static<typeof signInBody>
export type NewMemberBody = Static<typeof newMemberBody>
export type MemberBody = Static<typeof memberBody>
export type ModuleBody = Static<typeof moduleBody>
export type ConsentBody = Static<typeof consentBody>
export type SecretBody = Static<typeof secretBody>
export type PageQuery = Static<typeof pageQuery>

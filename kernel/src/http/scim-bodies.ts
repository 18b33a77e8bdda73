// What SCIM clients send, as leniently as they send it, and what of it is acted on (RFC 7643, RFC 7644).
import Type, { type Static } from 'typebox'
import { errors } from '../errors.ts'
import type { PersonChange, PersonFilter, ProvisionedPerson } from '../tenants/sso/provision.ts'
import { withVersion } from './scim-version.ts'

const open = { additionalProperties: true }
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

export const scimUserBody = Type.Object(
  {
    userName: Type.String({ minLength: 3, maxLength: 254, description: 'The e-mail address.' }),
    externalId: Type.Optional(text(255)),
    displayName: Type.Optional(Type.String({ maxLength: 200 })),
    name: Type.Optional(
      Type.Object(
        {
          formatted: Type.Optional(Type.String({ maxLength: 200 })),
          givenName: Type.Optional(Type.String({ maxLength: 100 })),
          familyName: Type.Optional(Type.String({ maxLength: 100 })),
        },
        open,
      ),
    ),
    active: Type.Optional(Type.Boolean()),
  },
  open,
)
export type ScimUserBody = Static<typeof scimUserBody>

export const scimPatchBody = Type.Object(
  {
    Operations: Type.Array(
      Type.Object(
        { op: text(20), path: Type.Optional(text(200)), value: Type.Optional(Type.Unknown()) },
        open,
      ),
      { minItems: 1, maxItems: 100 },
    ),
  },
  open,
)
export type ScimPatchBody = Static<typeof scimPatchBody>

export const scimListQuery = Type.Object(
  {
    filter: Type.Optional(Type.String({ maxLength: 500 })),
    startIndex: Type.Optional(Type.String({ pattern: '^\\d{1,9}$' })),
    count: Type.Optional(Type.String({ pattern: '^\\d{1,9}$' })),
    attributes: Type.Optional(Type.String({ maxLength: 500 })),
    excludedAttributes: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: false },
)
export type ScimListQuery = Static<typeof scimListQuery>

/** From 1. */
export function scimPage({ startIndex = '1', count = '100' }: ScimListQuery, most: number) {
  return { first: Math.max(1, Number(startIndex)), limit: Math.min(most, Number(count)) }
}

const wrong = (field: string, message: string) =>
  errors.validation({ errors: [{ field, code: 'INVALID', message }] })

export const nameIn = ({ displayName, name }: ScimUserBody): string | undefined =>
  [displayName, name?.formatted, [name?.givenName, name?.familyName].filter(Boolean).join(' ')].find(
    (one) => one !== undefined && one.trim() !== '',
  )

const filterForm = /^\s*(userName|externalId|id)\s+eq\s+"([^"\\]{1,255})"\s*$/i

/** The filters that directories find people with. @throws VALIDATION_FAILED */
export function filterIn(filter: string | undefined): PersonFilter {
  if (filter === undefined) return {}
  const [, attribute = '', value = ''] = filterForm.exec(filter) ?? []
  const name = attribute.toLowerCase()
  if (name === 'username') return { email: value }
  if (name === 'externalid') return { externalId: value }
  if (name === 'id') return { id: value }
  throw wrong('filter', 'must be userName, externalId or id, then eq and a text in quotes')
}

/** Some directories send "False". */
function truth(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (value === 'True' || value === 'true') return true
  if (value === 'False' || value === 'false') return false
  throw wrong('active', 'must be true or false')
}

function changeOf(path: string, value: unknown, person: ProvisionedPerson): PersonChange {
  const attribute = path.toLowerCase()
  if (attribute === 'active') return { isActive: truth(value) }
  if (attribute === 'externalid') {
    if (typeof value !== 'string' || value === '' || value.length > 255)
      throw wrong('externalId', 'must be a text of 255 characters at most')
    return { externalId: value }
  }
  if (attribute === 'username' && (typeof value !== 'string' || value.toLowerCase() !== person.email))
    throw wrong('userName', 'is the address of a person, which he alone changes')
  // His name and the like are his own.
  return {}
}

/** What the operations come to, the later ones last. @throws VALIDATION_FAILED */
export function changeIn({ Operations }: ScimPatchBody, person: ProvisionedPerson): PersonChange {
  let change: PersonChange = {}
  for (const { op, path, value } of Operations) {
    const kind = op.toLowerCase()
    if (!['add', 'replace', 'remove'].includes(kind)) throw wrong('op', 'must be add, replace or remove')
    if (kind === 'remove') {
      if (path?.toLowerCase() === 'externalid') change = { ...change, externalId: null }
      if (path?.toLowerCase() === 'active') change = { ...change, isActive: false }
    } else if (path !== undefined) change = { ...change, ...changeOf(path, value, person) }
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [name, one] of Object.entries(value)) change = { ...change, ...changeOf(name, one, person) }
    else throw wrong('value', 'must be an object where there is no path')
  }
  return change
}

const urn = 'urn:ietf:params:scim'

export const scimUser = (person: ProvisionedPerson) =>
  withVersion({
    schemas: [`${urn}:schemas:core:2.0:User`],
    id: person.id,
    ...(person.externalId === undefined ? {} : { externalId: person.externalId }),
    userName: person.email,
    displayName: person.name,
    name: { formatted: person.name },
    emails: [{ value: person.email, primary: true }],
    active: person.isActive,
    meta: {
      resourceType: 'User',
      created: person.createdAt,
      lastModified: person.updatedAt,
      location: `/scim/v2/Users/${person.id}`,
    },
  })

export const scimList = (items: readonly ProvisionedPerson[], total: number, startIndex: number) => ({
  schemas: [`${urn}:api:messages:2.0:ListResponse`],
  totalResults: total,
  startIndex,
  itemsPerPage: items.length,
  Resources: items.map(scimUser),
})

export const scimError = (status: number, detail: string, code: string) => ({
  schemas: [`${urn}:api:messages:2.0:Error`],
  status: String(status),
  ...(code === 'RECORD_CONFLICT'
    ? { scimType: 'uniqueness' }
    : status === 400
      ? { scimType: 'invalidValue' }
      : {}),
  detail,
  code,
})

// What a SCIM client may ask before it begins: what of SCIM there is (RFC 7643, sections 5 to 7).
import { errors } from '../errors.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'

const urn = 'urn:ietf:params:scim'
const no = { supported: false }

const serviceProviderConfig = {
  schemas: [`${urn}:schemas:core:2.0:ServiceProviderConfig`],
  patch: { supported: true },
  bulk: { ...no, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: 200 },
  changePassword: no,
  sort: no,
  etag: { supported: true },
  authenticationSchemes: [
    { type: 'oauthbearertoken', name: 'API key', description: 'The key of a service account of the tenant.' },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: '/scim/v2/ServiceProviderConfig' },
}

const resourceType = (id: string, endpoint: string) => ({
  schemas: [`${urn}:schemas:core:2.0:ResourceType`],
  id,
  name: id,
  endpoint,
  schema: `${urn}:schemas:core:2.0:${id}`,
  schemaExtensions: [],
  meta: { resourceType: 'ResourceType', location: `/scim/v2/ResourceTypes/${id}` },
})

const attribute = (name: string, rest: object = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...rest,
})
const complex = (name: string, subAttributes: readonly object[], rest: object = {}) => ({
  ...attribute(name, rest),
  type: 'complex',
  subAttributes,
})
const readOnly = { mutability: 'readOnly' }
const externalId = attribute('externalId', { caseExact: true, uniqueness: 'server' })

const schema = (name: string, description: string, attributes: readonly object[]) => ({
  schemas: [`${urn}:schemas:core:2.0:Schema`],
  id: `${urn}:schemas:core:2.0:${name}`,
  name,
  description,
  attributes,
  meta: { resourceType: 'Schema', location: `/scim/v2/Schemas/${urn}:schemas:core:2.0:${name}` },
})

const resourceTypes = [resourceType('User', '/Users'), resourceType('Group', '/Groups')]
const schemas = [
  schema('User', 'A member of the tenant', [
    attribute('userName', { required: true, mutability: 'immutable', uniqueness: 'server' }),
    externalId,
    attribute('displayName', { mutability: 'immutable' }),
    complex('name', [attribute('formatted'), attribute('givenName'), attribute('familyName')], {
      mutability: 'immutable',
    }),
    complex(
      'emails',
      [attribute('value', readOnly), attribute('primary', { type: 'boolean', ...readOnly })],
      {
        multiValued: true,
        ...readOnly,
      },
    ),
    attribute('active', { type: 'boolean' }),
  ]),
  schema('Group', 'People who are given the same roles', [
    attribute('displayName', { required: true, uniqueness: 'server' }),
    externalId,
    complex(
      'members',
      [
        attribute('value', { caseExact: true, mutability: 'immutable' }),
        attribute('$ref', { type: 'reference', referenceTypes: ['User'], ...readOnly }),
        attribute('type', { canonicalValues: ['User'], ...readOnly }),
      ],
      { multiValued: true },
    ),
  ]),
]

const list = (items: readonly object[]) => ({
  schemas: [`${urn}:api:messages:2.0:ListResponse`],
  totalResults: items.length,
  startIndex: 1,
  itemsPerPage: items.length,
  Resources: items,
})

export function scimDiscovery(app: Instance, ladder: Ladder): void {
  const tell = (url: string, summary: string, answer: (id: string) => object) =>
    app.route({
      method: 'GET',
      url: `/scim/v2/${url}`,
      schema: { tags: ['SCIM'], summary },
      ...atRung(ladder.located, async (_stage, request) =>
        answer((request.params as { id?: string }).id ?? ''),
      ),
    })
  const one = (entity: string, items: readonly { readonly id: string }[]) => (id: string) => {
    const found = items.find((item) => item.id === id)
    if (!found) throw errors.recordNotFound({ entity, id: id.slice(0, 64) })
    return found
  }
  tell('ServiceProviderConfig', 'What of SCIM there is', () => serviceProviderConfig)
  tell('ResourceTypes', 'What a directory keeps here', () => list(resourceTypes))
  tell('ResourceTypes/:id', 'One of these', one('resource type', resourceTypes))
  tell('Schemas', 'Attributes of users and groups', () => list(schemas))
  tell('Schemas/:id', 'Those of one', one('schema', schemas))
}

// Groups as SCIM clients send them: Okta names the member to remove in the path, Entra in the value.
import Type, { type Static } from 'typebox'
import { errors } from '../errors.ts'
import type { GroupState } from '../tenants/sso/change-groups.ts'
import { type DirectoryGroup, type GroupFilter, mostInGroup } from '../tenants/sso/directory-groups.ts'
import type { ScimPatchBody } from './scim-bodies.ts'
import { withVersion } from './scim-version.ts'

const open = { additionalProperties: true }

export const scimGroupBody = Type.Object(
  {
    displayName: Type.String({ minLength: 1, maxLength: 200 }),
    externalId: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
    members: Type.Optional(
      Type.Union([
        Type.Array(Type.Object({ value: Type.String({ minLength: 1, maxLength: 64 }) }, open), {
          maxItems: mostInGroup,
        }),
        Type.Null(),
      ]),
    ),
  },
  open,
)
export type ScimGroupBody = Static<typeof scimGroupBody>

const wrong = (field: string, message: string) =>
  errors.validation({ errors: [{ field, code: 'INVALID', message }] })

export const groupIn = ({ displayName, externalId, members }: ScimGroupBody): GroupState => ({
  displayName,
  externalId: externalId || undefined,
  members: (members ?? []).map(({ value }) => value),
})

const filterForm = /^\s*(displayName|externalId|id)\s+eq\s+"((?:[^"\\]|\\["\\]){1,255})"\s*$/i

/** @throws VALIDATION_FAILED */
export function groupFilterIn(filter: string | undefined): GroupFilter {
  if (filter === undefined) return {}
  const [, attribute = '', quoted = ''] = filterForm.exec(filter) ?? []
  const value = quoted.replace(/\\(.)/g, '$1')
  const name = attribute.toLowerCase()
  if (name === 'displayname') return { displayName: value }
  if (name === 'externalid') return { externalId: value }
  if (name === 'id') return { id: value.toLowerCase() }
  throw wrong('filter', 'must be displayName, externalId or id, then eq and a text in quotes')
}

function textIn(field: string, value: unknown, most: number): string {
  if (typeof value === 'string' && value !== '' && value.length <= most) return value
  throw wrong(field, `must be a text of ${most} characters at most`)
}

function membersIn(value: unknown): string[] {
  const given = Array.isArray(value) ? value : [value]
  return given.map((one: unknown) => {
    const id = typeof one === 'object' && one !== null && 'value' in one ? one.value : one
    return textIn('members', id, 64)
  })
}

const isNothing = (value: unknown) => value === undefined || value === null

function withMembers(group: GroupState, kind: string, value: unknown): GroupState {
  // Remove without a value is all of them.
  const given = isNothing(value) ? undefined : membersIn(value)
  if (kind === 'replace') return { ...group, members: given ?? [] }
  if (kind === 'add') return { ...group, members: [...new Set([...group.members, ...(given ?? [])])] }
  const gone = new Set(given ?? group.members)
  return { ...group, members: group.members.filter((id) => !gone.has(id)) }
}

const oneMember = /^members\[\s*value\s+eq\s+"([^"\\]{1,64})"\s*\]$/i
const coreSchema = /^urn:ietf:params:scim:schemas:core:2\.0:Group:/i

function applied(group: GroupState, kind: string, path: string, value: unknown): GroupState {
  const attribute = path.replace(coreSchema, '')
  const [, member] = oneMember.exec(attribute) ?? []
  if (member !== undefined) {
    if (kind !== 'remove') throw wrong('path', 'names one member only where he is removed')
    return withMembers(group, kind, member)
  }
  const name = attribute.toLowerCase()
  if (name === 'members') return withMembers(group, kind, value)
  if (name === 'displayname' && kind !== 'remove')
    return { ...group, displayName: textIn('displayName', value, 200) }
  if (name === 'externalid')
    return { ...group, externalId: kind === 'remove' ? undefined : textIn('externalId', value, 255) }
  // Its id and schemas come along with the rest, and stay.
  if (['id', 'schemas', 'meta'].includes(name)) return group
  throw wrong('path', 'must be displayName, externalId, members or members[value eq "..."]')
}

/** The group after all operations, in their order. @throws VALIDATION_FAILED */
export function patched({ Operations }: ScimPatchBody, group: GroupState): GroupState {
  return Operations.reduce<GroupState>((state, { op, path, value }) => {
    const kind = op.toLowerCase()
    if (!['add', 'replace', 'remove'].includes(kind)) throw wrong('op', 'must be add, replace or remove')
    if (path !== undefined) return applied(state, kind, path, value)
    if (kind === 'remove' || typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong('path', 'is required, but to add or replace the attributes of an object')
    return Object.entries(value).reduce((next, [name, one]) => applied(next, kind, name, one), state)
  }, group)
}

export const scimGroup = (group: DirectoryGroup, { membersToo = true } = {}) => {
  const { id, displayName, externalId, members, createdAt, updatedAt } = group
  const whole = withVersion({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    id,
    ...(externalId === undefined ? {} : { externalId }),
    displayName,
    members: members.map((value) => ({ value, $ref: `/scim/v2/Users/${value}`, type: 'User' })),
    meta: {
      resourceType: 'Group',
      created: createdAt,
      lastModified: updatedAt,
      location: `/scim/v2/Groups/${id}`,
    },
  })
  if (membersToo) return whole
  const { members: _, ...rest } = whole
  return rest
}

// One rule of a role, as tenants write it: which permission, allowed or denied, for which records and which fields.
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const scalar = Type.Union([Type.String({ maxLength: 4000 }), Type.Number(), Type.Boolean(), Type.Null()])

const clause = Type.Union([
  Type.Object({ own: Type.Literal(true) }, { ...closed, description: 'Records that I created.' }),
  Type.Object({ team: Type.Literal(true) }, { ...closed, description: 'Records that my team created.' }),
  Type.Object(
    { unit: Type.Literal(true) },
    { ...closed, description: 'Records of my units and those below.' },
  ),
  Type.Object(
    {
      field: Type.String({ maxLength: 64, description: 'As in a list filter: status, total.amount.' }),
      op: Type.Union((['eq', 'ne', 'in', 'gt', 'gte', 'lt', 'lte'] as const).map((op) => Type.Literal(op))),
      value: Type.Union([scalar, Type.Array(scalar, { maxItems: 100 })]),
    },
    closed,
  ),
])

export const accessRule = Type.Object(
  {
    permission: Type.String({
      maxLength: 120,
      pattern: '^[a-z][A-Za-z0-9]*(\\.[a-z][A-Za-z0-9]*){0,2}(\\.\\*)?$',
      description: 'finance.journalEntry.read, finance.journalEntry.*, finance.*, tenant.settings.update',
    }),
    effect: Type.Union([Type.Literal('allow'), Type.Literal('deny')]),
    when: Type.Optional(
      Type.Array(clause, {
        minItems: 1,
        maxItems: 10,
        description: 'All of them; every record when left out.',
      }),
    ),
    fields: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), {
        minItems: 1,
        maxItems: 200,
        description: 'These fields alone; all of them when left out.',
      }),
    ),
  },
  closed,
)

export type AccessRule = Static<typeof accessRule>
export type Clause = NonNullable<AccessRule['when']>[number]

/** Whether `finance.journalEntry.*` or another name with or without a star covers the permission. */
export function coversPermission(pattern: string, permission: string): boolean {
  return pattern.endsWith('.*') ? permission.startsWith(pattern.slice(0, -1)) : pattern === permission
}

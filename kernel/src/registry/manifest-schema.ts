// The shape of a manifest, checked before anyone looks at it: it comes from a package or out of the sandbox, so
// every field is treated as the plugin's. What the declarations mean is checked by the SDK's checkManifest.
import type { Manifest } from '@plinth/sdk'
import Type, { type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

const closed = { additionalProperties: false }
const key = '^[a-z][A-Za-z0-9]{0,40}$'
const record = <T extends TSchema>(value: T, pattern = key, max = 200) =>
  Type.Unsafe<object>({
    type: 'object',
    additionalProperties: false,
    patternProperties: { [pattern]: value },
    maxProperties: max,
  })

const title = Type.String({ minLength: 1, maxLength: 120 })
const word = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' })
const words = Type.Array(word, { maxItems: 100 })

const kinds = [
  'text',
  'int',
  'decimal',
  'bool',
  'date',
  'money',
  'choice',
  'ref',
  'sequence',
  'state',
] as const
const common = {
  optional: Type.Optional(Type.Literal(true)),
  default: Type.Optional(Type.Unknown()),
  unique: Type.Optional(Type.Literal(true)),
  personal: Type.Optional(Type.Literal(true)),
  min: Type.Optional(Type.Number()),
  max: Type.Optional(Type.Number()),
  entity: Type.Optional(word),
  pattern: Type.Optional(Type.String({ maxLength: 80 })),
  at: Type.Optional(word),
  dateField: Type.Optional(word),
  transitions: Type.Optional(record(words, '^[A-Za-z0-9_-]{1,40}$', 60)),
  initial: Type.Optional(word),
  values: Type.Optional(words),
}
const scalar = Type.Object({ kind: Type.Union(kinds.map((kind) => Type.Literal(kind))), ...common }, closed)

/** Fields nest three deep: a reply's rows, each with an object. */
function fieldsOf(depth: number): TSchema {
  const nested = Type.Object(
    {
      kind: Type.Union([Type.Literal('lines'), Type.Literal('object')]),
      ...common,
      fields: depth > 0 ? fieldsOf(depth - 1) : record(scalar),
    },
    closed,
  )
  return record(Type.Union([scalar, nested]))
}
const fields = fieldsOf(3)

const approval = Type.Optional(
  Type.Object(
    {
      amount: Type.Optional(word),
      unit: Type.Optional(word),
      required: Type.Optional(Type.Literal(true)),
      rejected: Type.Optional(word),
    },
    closed,
  ),
)

const manifestSchema = Type.Object(
  {
    manifestVersion: Type.Literal(1),
    name: Type.String({ pattern: '^[a-z][a-z0-9]{1,30}$' }),
    title,
    uses: record(Type.Object({ range: Type.String({ maxLength: 80 }), optional: Type.Boolean() }, closed)),
    needs: Type.Object(
      {
        http: Type.Optional(Type.Array(Type.String({ maxLength: 253 }), { maxItems: 50 })),
        secrets: Type.Optional(
          record(Type.Object({ title, host: Type.String({ maxLength: 253 }) }, closed), key, 20),
        ),
        sql: Type.Optional(Type.Union([Type.Literal('read'), Type.Literal('write')])),
        approvals: Type.Optional(Type.Literal(true)),
      },
      closed,
    ),
    settings: fields,
    entities: record(
      Type.Object(
        {
          title,
          path: Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}$' }),
          fields,
          indexes: Type.Array(words, { maxItems: 50 }),
          immutableIn: words,
          scope: Type.Optional(Type.Object({ unit: word }, closed)),
        },
        closed,
      ),
    ),
    events: record(fields, '^[a-z][A-Za-z0-9]{0,40}(\\.[a-z][A-Za-z0-9]{0,40})?$'),
    actions: record(
      record(
        Type.Object({ title, to: Type.Optional(word), approval, input: fields, run: Type.Boolean() }, closed),
      ),
    ),
    routes: record(
      Type.Object(
        {
          title,
          method: Type.Union([Type.Literal('GET'), Type.Literal('POST')]),
          path: Type.String({ pattern: '^(/[a-z][a-z0-9-]{0,62}){1,6}$' }),
          query: fields,
          input: fields,
          returns: Type.Optional(fields),
        },
        closed,
      ),
    ),
    services: record(Type.Object({ input: fields, returns: Type.Optional(fields) }, closed)),
    hooks: record(Type.Array(Type.Literal('validate'), { maxItems: 1 })),
    errors: record(
      Type.Object(
        {
          status: Type.Union([400, 403, 404, 409, 422].map((status) => Type.Literal(status))),
          message: Type.String({ minLength: 1, maxLength: 500 }),
        },
        closed,
      ),
      '^[A-Z][A-Z0-9_]{0,60}$',
    ),
    on: record(
      Type.Object({ whileDisabled: Type.Union([Type.Literal('deliver'), Type.Literal('skip')]) }, closed),
      '^[A-Za-z0-9.]{1,120}$',
      100,
    ),
    jobs: record(
      Type.Object(
        {
          title,
          input: fields,
          schedule: Type.Optional(Type.String({ maxLength: 80 })),
          attempts: Type.Number(),
          rate: Type.Optional(Type.Object({ max: Type.Number(), perSeconds: Type.Number() }, closed)),
        },
        closed,
      ),
    ),
    roles: record(
      Type.Object(
        {
          title,
          can: Type.Array(
            Type.Union([
              Type.String({ maxLength: 120, pattern: '^[A-Za-z0-9.*]+$' }),
              Type.Object({ permission: Type.String({ maxLength: 120 }), own: Type.Literal(true) }, closed),
            ]),
            { maxItems: 500 },
          ),
        },
        closed,
      ),
    ),
  },
  closed,
)

const compiled = Compile(manifestSchema)

/** The manifest in `value`, or the first thing that is wrong with it as half a sentence. */
export function parseManifest(value: unknown): { manifest: Manifest } | { problem: string } {
  if (compiled.Check(value)) return { manifest: value as Manifest }
  const first = compiled.Errors(value)[0]
  return { problem: `${first?.instancePath || 'the manifest'} ${first?.message ?? 'is not right'}` }
}

// Shapes of the operator's API.
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const version = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9^~<>=.*+ |-]+$',
  description: 'Exact, a range or a tag; latest when left out.',
})
const dryRun = Type.Optional(Type.Boolean({ description: 'Answers with the plan and changes nothing.' }))
const integrity = Type.Optional(
  Type.String({ pattern: '^sha512-[A-Za-z0-9+/]{86}==$', description: 'The package must have this hash.' }),
)
const canary = Type.Object(
  {
    percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    tenants: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 1_000 })),
    minutes: Type.Number({ minimum: 0.01, maximum: 10_080 }),
    errorRate: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: '0.05 when left out.' })),
    minRequests: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: '20 when left out.' }),
    ),
  },
  { ...closed, description: 'These tenants first; it takes itself back when they get too many 5xx answers.' },
)

export const installBody = Type.Object(
  {
    package: Type.String({ minLength: 1, maxLength: 214 }),
    version: Type.Optional(version),
    integrity,
    dryRun,
  },
  closed,
)
export const upgradeBody = Type.Object(
  {
    version: Type.Optional(version),
    integrity,
    channel: Type.Optional(Type.Union([Type.Literal('stable'), Type.Literal('beta')])),
    canary: Type.Optional(canary),
    dryRun,
  },
  closed,
)
export const rollbackBody = Type.Object({ version: Type.Optional(version), dryRun }, closed)
export const switchBody = Type.Object({ dryRun }, closed)
export const removeBody = Type.Object(
  {
    confirm: Type.Optional(Type.String({ description: 'The module, written once more.' })),
    force: Type.Optional(Type.Boolean({ description: 'Also switches it off for the tenants that have it.' })),
    dryRun,
  },
  closed,
)
export const isolationBody = Type.Object(
  {
    hostPerTenant: Type.Boolean({ description: 'A process of its own for each tenant.' }),
    jitless: Type.Boolean({
      description: 'Without the just-in-time compiler: slower, and a smaller target.',
    }),
  },
  closed,
)
export const choiceBody = Type.Object(
  {
    channel: Type.Optional(Type.Union([Type.Literal('stable'), Type.Literal('beta')])),
    version: Type.Optional(
      Type.Union([Type.String({ maxLength: 64 }), Type.Null()], {
        description: 'Exactly this one, or null to follow the channel again.',
      }),
    ),
  },
  closed,
)

export const operationShape = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    kind: Type.String(),
    module: Type.Union([Type.String(), Type.Null()]),
    package: Type.Union([Type.String(), Type.Null()]),
    version: Type.Union([Type.String(), Type.Null()]),
    state: Type.Union(['running', 'undoing', 'succeeded', 'failed'].map((state) => Type.Literal(state))),
    done: Type.Array(Type.String(), { description: 'Steps that are done.' }),
    result: Type.Object({}, { additionalProperties: true }),
    error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
    startedAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { description: 'Poll it until its state is succeeded or failed. Failed: everything was undone.' },
)
export const planShape = Type.Object({}, { additionalProperties: true, description: 'What would happen.' })
export const pluginShape = Type.Object({}, { additionalProperties: true })

export type InstallBody = Static<typeof installBody>
export type UpgradeBody = Static<typeof upgradeBody>
export type RollbackBody = Static<typeof rollbackBody>
export type RemoveBody = Static<typeof removeBody>
export type IsolationBody = Static<typeof isolationBody>
export type ChoiceBody = Static<typeof choiceBody>

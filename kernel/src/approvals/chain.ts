// A tenant's chain: for which action it is, when, and who must agree step by step. The shape as JSON Schema, the types from
// it, and which chain and steps something falls under.
import { compareDecimals } from '@plinth/sdk'
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const decimal = Type.String({ pattern: '^\\d{1,18}(\\.\\d{1,6})?$' })
const uuid = Type.String({ format: 'uuid' })

export const condition = Type.Object(
  {
    amount: Type.Optional(
      Type.Object(
        {
          currency: Type.String({ pattern: '^[A-Z]{3}$' }),
          from: Type.Optional(decimal),
          below: Type.Optional(decimal),
        },
        closed,
      ),
    ),
    unit: Type.Optional(
      Type.String({ format: 'uuid', description: 'An organisation unit, with all below it.' }),
    ),
  },
  {
    ...closed,
    description:
      'What is not known meets every condition: no amount, an amount in another currency, no unit. So nobody gets past a chain by leaving something out.',
  },
)

export const approver = Type.Union([
  Type.Object({ person: Type.String({ minLength: 1, maxLength: 64 }) }, closed),
  Type.Object({ role: Type.String({ minLength: 1, maxLength: 64 }) }, closed),
  Type.Object({ position: uuid }, closed),
  Type.Object({ superior: Type.Integer({ minimum: 1, maximum: 9 }) }, closed),
])

export const step = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120 }),
    approvers: Type.Array(approver, { minItems: 1, maxItems: 20 }),
    need: Type.Union([Type.Literal('all'), Type.Integer({ minimum: 1, maximum: 20 })], {
      description: 'all: somebody for each approver named; a number: so many people, whichever.',
    }),
    when: Type.Optional(condition),
    remindAfterHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 8_760 })),
  },
  closed,
)

export type Condition = Static<typeof condition>
export type Approver = Static<typeof approver>
export type Step = Static<typeof step>

export interface Chain {
  readonly id: string
  readonly code: string
  readonly title: string
  readonly when: Condition
  readonly steps: readonly Step[]
}

/** What is to be approved, as far as chains look at it. */
export interface Subject {
  readonly amount?: { readonly amount: string; readonly currency: string } | undefined
  /** The unit and all above it. */
  readonly units?: readonly string[] | undefined
}

export function meets({ amount, units }: Subject, when: Condition = {}): boolean {
  if (when.unit !== undefined && units && !units.includes(when.unit)) return false
  if (!when.amount || amount?.currency !== when.amount.currency) return true
  const { from, below } = when.amount
  if (from !== undefined && compareDecimals(amount.amount, from) < 0) return false
  return below === undefined || compareDecimals(amount.amount, below) < 0
}

/** Steps that somebody has to agree at, with the first chain that fits; undefined when nobody has to. */
export function stepsFor(
  chains: readonly Chain[],
  subject: Subject,
): { readonly chain: Chain; readonly steps: readonly Step[] } | undefined {
  const chain = chains.find(({ when }) => meets(subject, when))
  const steps = chain?.steps.filter((one) => meets(subject, one.when)) ?? []
  return chain && steps.length > 0 ? { chain, steps } : undefined
}

export const asksUnits = (chains: readonly Chain[]): boolean =>
  chains.some(
    ({ when, steps }) => when.unit !== undefined || steps.some((one) => one.when?.unit !== undefined),
  )

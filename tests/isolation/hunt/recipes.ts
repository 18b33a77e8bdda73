// Bodies that a schema alone does not lead to: what the books, the members and the settings accept.
import { amountOf, type Making, textOf } from './make-value.ts'

/** `undefined`: what the schema says is tried. */
type Recipe = (making: Making, path: string) => unknown

const lastOf = (path: string | undefined): string => decodeURIComponent(path?.split('/').at(-1) ?? '')

function journal(making: Making): unknown {
  const { random, side } = making
  const accounts = side.known('/v1/finance/accounts/{}')
  const [debit, credit] = [random.pick(accounts), random.pick(accounts)]
  if (debit === undefined || credit === undefined) return undefined
  const money = { amount: amountOf(making), currency: 'USD' }
  return {
    date: `2026-0${1 + random.int(9)}-15`,
    description: textOf(making),
    reference: textOf(making, { maxLength: 200 }),
    lines: [
      { account: lastOf(debit), debit: money, memo: textOf(making) },
      { account: lastOf(credit), credit: money },
    ],
  }
}

const guestOf = ({ random, side }: Making) =>
  random.pick(side.people.filter(({ standing }) => standing === 'guest'))

export const recipes: Readonly<Record<string, Recipe>> = {
  'POST /v1/finance/journal-entries': journal,
  'PATCH /v1/finance/journal-entries/{id}': journal,
  'POST /v1/finance/journal-entries/{id}/reverse': ({ random }) => ({ date: `2026-1${random.int(3)}-20` }),
  'POST /v1/tenant/members': (making) => ({
    email: guestOf(making)?.email,
    role: making.random.pick(['member', 'admin']),
  }),
  'PATCH /v1/tenant/members/{userId}': ({ random }) => ({ role: random.pick(['member', 'admin']) }),
  'POST /v1/tenant/modules': ({ random, side }) => {
    const gone = random.pick(side.known('gone /v1/tenant/modules/{}'))
    const module = gone === undefined ? random.pick(side.known('module')) : lastOf(gone)
    return { module, ...(module === 'prey' && { consent: { http: ['prey.example'] } }) }
  },
  'PUT /v1/tenant/modules/{module}/consent': () => ({ http: ['prey.example'] }),
  'PATCH /v1/tenant/settings/{module}': (making, path) =>
    path.endsWith('prey') ? { greeting: textOf(making) } : {},
  'POST /v1/auth/sign-in/email': ({ side }) => {
    const { email, password } = side.standing('owner')
    return { email, password }
  },
}

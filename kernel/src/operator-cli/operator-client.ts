// Speaks to the operator's API of a running kernel. What comes back is parsed; a refusal becomes an Error with its
// sentence.
import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

const requestDeadlineMs = 60_000

const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()])
const text = Type.String()

const problem = Compile(
  Type.Object({
    code: text,
    detail: Type.Optional(text),
    errors: Type.Optional(Type.Array(Type.Object({ field: text, message: text }))),
  }),
)

export const operationAnswer = Type.Object({
  id: text,
  kind: text,
  module: Type.Union([text, Type.Null()]),
  version: Type.Union([text, Type.Null()]),
  state: text,
  done: Type.Array(text),
  result: Type.Object({ receipt: Type.Optional(Type.Object({ rows: Type.Number(), bytes: Type.Number() })) }),
  error: Type.Union([Type.Object({ code: text, message: text }), Type.Null()]),
  startedAt: text,
})
export type OperationAnswer = Static<typeof operationAnswer>

export const planAnswer = Type.Object({
  kind: text,
  module: text,
  package: text,
  from: Type.Optional(text),
  to: Type.Optional(text),
  integrity: Type.Optional(text),
  signatures: Type.Optional(text),
  provenance: Type.Optional(text),
  newAsks: Type.Optional(Type.Array(text)),
  migrations: Type.Optional(
    Type.Object({
      reasons: Type.Array(text),
      operations: Type.Array(
        Type.Object({
          sentence: text,
          lock: Type.Optional(text),
          rows: Type.Optional(Type.Number()),
          destructive: Type.Boolean(),
        }),
      ),
    }),
  ),
  holdsRequests: Type.Boolean(),
  tenants: Type.Object({ count: Type.Number(), slugs: Type.Array(text) }),
  refusals: Type.Array(text),
})
export type PlanAnswer = Static<typeof planAnswer>

export const pluginAnswer = Type.Object({
  module: text,
  package: text,
  state: text,
  stable: nullable(text),
  beta: nullable(text),
  candidate: nullable(text),
  tenants: Type.Number(),
  pins: Type.Array(text),
  versions: Type.Array(Type.Object({ version: text })),
})

export const listAnswer = <T extends TSchema>(item: T) => Type.Object({ items: Type.Array(item) })
export const choiceAnswer = Type.Object({
  tenant: text,
  module: text,
  channel: text,
  version: Type.Union([text, Type.Null()]),
})

export interface OperatorClient {
  /** @throws Error with the sentence of the refusal */
  ask<T extends TSchema>(
    schema: T,
    method: string,
    path: string,
    body?: object,
    /** A minute unless said. */
    deadlineMs?: number,
  ): Promise<Static<T>>
}

export function operatorClient(url: string, token: string): OperatorClient {
  return {
    async ask(schema, method, path, body, deadlineMs = requestDeadlineMs) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(deadlineMs),
      }).catch((cause: unknown) => {
        throw new Error(`No kernel answers at ${url}. Start it with npm start, or name another with --url.`, {
          cause,
        })
      })
      const answer: unknown = await response.json().catch(() => undefined)
      if (!response.ok) throw new Error(sentenceOf(answer, response.status))
      const expected = Compile(schema)
      if (!expected.Check(answer)) throw new Error(`What answers at ${url} is not this version of Plinth.`)
      return answer
    },
  }
}

function sentenceOf(answer: unknown, status: number): string {
  if (!problem.Check(answer)) return `The kernel answered ${status}.`
  const fields = (answer.errors ?? []).map(({ field, message }) => `${field} ${message}`)
  return [`${answer.code}: ${answer.detail ?? `the kernel answered ${status}.`}`, ...fields].join('\n  ')
}

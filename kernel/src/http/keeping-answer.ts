// POST routes whose answer commits with what they did: who sends the request again with its Idempotency-Key is answered as
// before, also when the process died between the commit and the answer. hygiene/kept-behind.ts lists the others.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { KeptAnswer } from '../data/idempotent-request.ts'
import { errors } from '../errors.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { jsonTextAnswer, sendAnswer } from './answer.ts'
import { type AtRung, atRung, type Rung } from './ladder.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is kept in the transaction of the change. */
    keepsAnswer?: boolean
  }
}

/** Of a route that writes its answer in its transaction by other means than `keepingAnswer`. */
export const keepsAnswer = { config: { keepsAnswer: true } } as const

export interface Answer {
  /** 200 when left out, 204 without a body. */
  readonly status?: number
  readonly body?: object
  readonly location?: string
  readonly etag?: string
  /** It is shown once, and kept without its body. */
  readonly isSecret?: boolean
}

/**
 * Carries out the one change of a request with the `RunControl` that `work` is given, which is to open one transaction, and
 * answers with what `answer` makes of that transaction's result. What is read by other transactions claims nothing.
 */
export type Keep = <Result>(
  work: (run: RunControl) => Promise<unknown>,
  answer: (result: Result, tx: ControlTransaction) => Answer | Promise<Answer>,
) => Promise<unknown>

export function keepingAnswer<Stage extends object>(
  rung: Rung<Stage>,
  runControl: RunControl,
  handle: (stage: Stage, request: FastifyRequest, keep: Keep) => Promise<unknown>,
): AtRung & typeof keepsAnswer {
  return {
    ...keepsAnswer,
    ...atRung(rung, (stage, request, reply) => {
      const once = request.idempotent?.request
      once?.waitForEffect()
      return handle(stage, request, async (work, answer) => {
        let kept: KeptAnswer | undefined
        await work(async (inner) => {
          once?.beginEffect()
          return runControl(async (tx) => {
            const result = await inner(tx)
            // `work` opens one transaction, and `answer` is of what that one returns.
            const made = keptForm(reply, await answer(result as never, tx))
            kept = made
            await tx.keep(() => made)
            return result
          })
        })
        if (!kept) throw errors.internal({}, new Error('a change that was to be kept was not made'))
        return sendAnswer(reply, kept)
      })
    }),
  }
}

function keptForm(reply: FastifyReply, { status, body, location, etag, isSecret }: Answer): KeptAnswer {
  const code = status ?? (body ? 200 : 204)
  const headers = {
    ...(location === undefined ? {} : { location }),
    ...(etag === undefined ? {} : { etag }),
    ...(isSecret ? { 'cache-control': 'no-store' } : {}),
  }
  if (!body) return { status: code, headers }
  // SCIM's answers have no schema.
  const write = reply.getSerializationFunction(String(code)) ?? JSON.stringify
  return jsonTextAnswer(code, String(write({ ...body })), headers)
}

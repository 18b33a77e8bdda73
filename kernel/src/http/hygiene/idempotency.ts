// Idempotency-Key: a POST that is sent again is answered as it was the first time. docs/decisions/0041 says what is kept.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { type CurrentRequest, type IdempotencyKey, IdempotentRequest } from '../../data/idempotent-request.ts'
import { allStand, type DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import type { Located, Operated } from '../../stages.ts'
import { sendAnswer } from '../answer.ts'
import type { KeptAnswers } from './kept-answers.ts'

/** How long who sends the same again waits for the first. */
const waitMs = 5_000
/** Between two looks at what another process does. */
const lookEveryMs = 200
const mostWaiting = 200
const keptHeaders = ['content-type', 'location', 'etag', 'cache-control']
const aboveTenants = '00000000-0000-0000-0000-000000000000'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while a request with an Idempotency-Key is carried out. */
    idempotent: UnderWay | null
    /** Code of the problem it is answered with. */
    refusal: string | null
  }
}

interface UnderWay {
  readonly request: IdempotentRequest
  /** Lets those in who sent the same meanwhile. */
  readonly end: () => void
}

export interface Idempotency {
  /** Answers from what is kept, or carries out `work`. */
  run(
    stage: object,
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<unknown>,
  ): Promise<unknown>
  /** Keeps what is about to be sent, unless its transaction has kept it. Asked before every answer. */
  keep(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void>
}

/** Refusals that say "not now": the same request may be carried out later. */
const passing: ReadonlySet<string | null> = new Set([
  errors.validation.code,
  errors.writeConflict.code,
  errors.idempotencyInProgress.code,
  errors.operationUnderWay.code,
])

const keyForm = /^[\x21-\x7e]{1,255}$/

/** Who it is, by his rights: a credential that is cut to a part of them is not shown what the others may see. */
function actorOf({ actor, scopes, operator }: Partial<Located & Operated>): string | undefined {
  if (operator !== undefined) return 'operator'
  return actor && JSON.stringify([actor.id, ...(scopes ? [[...scopes].sort()] : [])])
}

function fingerprintOf({ url, headers, body }: FastifyRequest): string {
  const sent = JSON.stringify([url, headers['if-match'] ?? null, body ?? null])
  return createHash('sha256').update(sent).digest('base64url')
}

/** Of one process; `kept` is everybody's. */
export function createIdempotency(
  kept: KeptAnswers,
  current: CurrentRequest,
  log: Logger,
  off: DefencesOff = allStand,
): Idempotency {
  const underWay = new Map<string, { readonly ended: Promise<false>; waiting: number }>()

  function keyOf(stage: Partial<Located>, request: FastifyRequest): IdempotencyKey | undefined {
    const header = request.headers['idempotency-key']
    if (header === undefined || request.method !== 'POST') return undefined
    const key = String(header)
    if (!keyForm.test(key)) {
      const message = 'must have 1 to 255 visible characters of ASCII, without spaces'
      throw errors.validation({ errors: [{ field: 'Idempotency-Key', code: 'INVALID', message }] })
    }
    const actor = actorOf(stage)
    // Nobody in particular: what signs in is not kept for anybody.
    if (actor === undefined) return undefined
    const isAnybodys = off.has('idempotencyOwner')
    return {
      tenant: isAnybodys ? aboveTenants : (stage.tenant?.id ?? aboveTenants),
      actor: isAnybodys ? '' : actor,
      route: `POST ${request.routeOptions.url}`,
      key,
      fingerprint: fingerprintOf(request),
    }
  }

  async function isOver(ended: Promise<false>, deadline: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<true>()
    const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()), true)
    const isTooLate = await Promise.race([ended, promise])
    clearTimeout(timer)
    return isTooLate
  }

  /** When it is this one's turn, how to end it. @throws IDEMPOTENCY_IN_PROGRESS */
  async function enter(name: string, deadline: number): Promise<() => void> {
    for (let before = underWay.get(name); before; before = underWay.get(name)) {
      if (before.waiting >= mostWaiting) throw errors.idempotencyInProgress({ retryAfter: 1 })
      before.waiting += 1
      if (await isOver(before.ended, deadline)) throw errors.idempotencyInProgress({ retryAfter: 1 })
    }
    const { promise, resolve } = Promise.withResolvers<false>()
    const entry = { ended: promise, waiting: 0 }
    underWay.set(name, entry)
    return () => {
      if (underWay.get(name) === entry) underWay.delete(name)
      resolve(false)
    }
  }

  async function attempts(
    key: IdempotencyKey,
    deadline: number,
    end: () => void,
    [request, reply]: [FastifyRequest, FastifyReply],
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    for (;;) {
      const answer = await kept.find(key)
      if (answer) {
        end()
        return sendAnswer(reply.header('idempotent-replayed', 'true'), answer)
      }
      const attempt = new IdempotentRequest(key)
      request.idempotent = { request: attempt, end }
      try {
        return await current.run(attempt, work)
      } catch (error) {
        if (!attempt.isBusy(error)) throw error
        request.idempotent = null
        if (Date.now() > deadline) throw errors.idempotencyInProgress({ retryAfter: 1 }, error)
      } finally {
        attempt.end()
      }
      // A process beside this one carries it out, or has done so.
      await sleep(lookEveryMs)
    }
  }

  async function keepAnswer(
    one: IdempotentRequest,
    { refusal }: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
  ): Promise<void> {
    const { statusCode } = reply
    if (one.isAnswered || statusCode >= 500 || statusCode === 429) return
    if (statusCode >= 400 && (!one.hasBegun || one.isDone || passing.has(refusal))) return
    const headers = Object.fromEntries(
      keptHeaders.flatMap((name) => {
        const value = reply.getHeader(name)
        return value === undefined ? [] : [[name, String(value)]]
      }),
    )
    const body = typeof payload === 'string' ? payload : undefined
    await kept.add(one, { status: statusCode, headers, body })
  }

  return {
    async run(stage, request, reply, work) {
      const key = keyOf(stage, request)
      if (!key) return work()
      const deadline = Date.now() + waitMs
      const { tenant, actor, route } = key
      const end = await enter(JSON.stringify([tenant, actor, route, key.key]), deadline)
      try {
        return await attempts(key, deadline, end, [request, reply], work)
      } finally {
        // Else `keep` ends it, when the answer is kept; who hangs up may never get one.
        if (request.idempotent) reply.raw.once('close', end)
        else end()
      }
    },
    async keep(request, reply, payload) {
      const under = request.idempotent
      if (!under) return
      request.idempotent = null
      try {
        await keepAnswer(under.request, request, reply, payload)
      } catch (error) {
        // What was asked for is done; who sends it again is told so.
        log.error({ err: error }, 'the answer to a request with an Idempotency-Key was not kept')
      } finally {
        under.end()
      }
    },
  }
}

// A request that is to be carried out once, however often it is sent: how far it has come, and the statements that write its
// claim and its answer into whatever transaction carries it out.
import type { AsyncLocalStorage } from 'node:async_hooks'
import { errors, isPlinthError } from '../errors.ts'
import { prepared, type Statement } from './statement.ts'

/** Longer than a neighbour's commit takes, and short: a connection is held meanwhile. */
export const claimLockMs = 100

/** Bytes. A record is smaller than the body that made it; reports may be larger. */
const longestBody = 1_048_576

export interface KeptAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/** Whose request it is, and which. */
export interface IdempotencyKey {
  readonly tenant: string
  readonly actor: string
  /** Method and pattern of the path. */
  readonly route: string
  readonly key: string
  /** Of what was sent: the same key with another one is a mistake of the client. */
  readonly fingerprint: string
}

/** Without a target, which would need the right to read. */
const insertClaim = prepared(`
  INSERT INTO kernel.idempotent_request (tenant_id, actor, route, key, fingerprint)
  VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`)

export const insertAnswer = prepared(`
  INSERT INTO kernel.idempotent_answer (tenant_id, actor, route, key, status, headers, body, is_whole)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`)

/** Runs one of the two in the transaction, and says how many rows it wrote. */
export type WriteClaim = (statement: Statement) => Promise<number>

export class IdempotentRequest {
  readonly key: IdempotencyKey
  /** `asking` and `claimed` are inside a transaction, `committed` is for good. */
  #claim: 'none' | 'asking' | 'claimed' | 'committed' = 'none'
  #answer: 'none' | 'written' | 'committed' = 'none'
  #hasBegun = false
  #isWaiting = false
  #hasEnded = false

  constructor(key: IdempotencyKey) {
    this.key = key
  }

  /** The effect is there for good. */
  get isDone(): boolean {
    return this.#claim === 'committed'
  }

  get isAnswered(): boolean {
    return this.#answer === 'committed'
  }

  /** A transaction was opened for it: what went before was about whether the request is well-formed. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Another has claimed it, or is about to. */
  isBusy(error: unknown): boolean {
    if (!isPlinthError(error) || this.#claim === 'committed') return false
    if (error.code === errors.idempotencyInProgress.code) return true
    return this.#claim === 'asking' && error.code === errors.writeConflict.code
  }

  /** What begins after the answer is not the request's any more. */
  end(): void {
    this.#hasEnded = true
  }

  /** The route says which of its transactions makes the change: those before it only read. */
  waitForEffect(): void {
    this.#isWaiting = true
  }

  /** The transaction that is opened next makes it. */
  beginEffect(): void {
    this.#isWaiting = false
  }

  /** True when this transaction is to write the claim: the first one of the request, or the one that makes the change. */
  mayClaim(): boolean {
    return this.#claim === 'none' && !this.#hasEnded && !this.#isWaiting
  }

  /** @throws IDEMPOTENCY_IN_PROGRESS when another request with the key was faster */
  async claim(write: WriteClaim): Promise<void> {
    this.#claim = 'asking'
    this.#hasBegun = true
    const { tenant, actor, route, key, fingerprint } = this.key
    const written = await write(insertClaim([tenant, actor, route, key, fingerprint]))
    if (written === 0) throw errors.idempotencyInProgress({ retryAfter: 1 })
    this.#claim = 'claimed'
  }

  /** In the transaction of the claim: what is committed without it is answered when it is repeated, but not as it was. */
  async keep(answer: KeptAnswer, write: WriteClaim): Promise<void> {
    if (this.#answer !== 'none' || this.#claim === 'none' || this.#claim === 'asking') return
    this.#answer = 'written'
    await write(insertAnswer(answerValues(this.key, answer)))
  }

  /** The transaction has ended. */
  settle(isCommitted: boolean): void {
    if (this.#claim !== 'committed') {
      if (isCommitted) this.#claim = 'committed'
      else if (this.#claim === 'claimed') this.#claim = 'none'
    }
    if (this.#answer === 'written') this.#answer = isCommitted ? 'committed' : 'none'
  }
}

/** The request under way, for transactions that are opened without being told for whom. */
export type CurrentRequest = AsyncLocalStorage<IdempotentRequest>

export function answerValues(key: IdempotencyKey, { status, headers, body }: KeptAnswer): unknown[] {
  const isSecret = headers['cache-control']?.includes('no-store') === true
  const isWhole = !isSecret && Buffer.byteLength(body ?? '') <= longestBody
  const { tenant, actor, route } = key
  const kept = isWhole ? (body ?? null) : null
  return [tenant, actor, route, key.key, status, JSON.stringify(headers), kept, isWhole]
}

// What a failed statement means: a lost connection, a conflict, or a refusal that only its author can explain.
import pg from 'pg'
import { errors, isPlinthError } from '../errors.ts'

/** What PostgreSQL says of a statement it refused. */
export type DatabaseFailure = pg.DatabaseError

export const isDatabaseFailure = (error: unknown): error is DatabaseFailure =>
  error instanceof pg.DatabaseError

/** Whether nothing more can be sent on the connection that answered so. */
export const endsConnection = (error: unknown): boolean =>
  isDatabaseFailure(error) && (error.severity === 'FATAL' || error.severity === 'PANIC')

/** SQLSTATEs that mean: somebody else was faster, the same request may succeed now. */
const conflicts: ReadonlySet<string | undefined> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
])

const queryCanceled = '57014' // statement_timeout

/**
 * The error of ours that a database error is, whatever the statement was; else `error` itself, for whoever knows
 * what the statement meant.
 */
export function translateFailure(error: unknown, connectionLost: boolean): unknown {
  if (connectionLost || endsConnection(error)) return errors.databaseUnavailable({}, error)
  if (!isDatabaseFailure(error)) return error
  if (conflicts.has(error.code)) return errors.writeConflict({}, error)
  if (error.code === queryCanceled) return errors.databaseTimeout({}, error)
  return error
}

/**
 * What `call`, a call of pg on a connection that this process opened, answers; its failure as ours. What pg rejects with
 * besides PostgreSQL's own errors is a connection that could not be made or broke.
 */
export async function fromDatabase<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    const isOwnMistake = error instanceof TypeError || error instanceof RangeError
    throw translateFailure(error, !isDatabaseFailure(error) && !isPlinthError(error) && !isOwnMistake)
  }
}

/** A connection that is lost while it commits says nothing of the outcome. Any other failure is as it was. */
export const uncertainCommit = (error: unknown): unknown =>
  isPlinthError(error) && error.code === errors.databaseUnavailable.code
    ? errors.commitUncertain({}, error)
    : error

/** Of connections: refused, reset, ended by an administrator, not yet accepted. */
const lossCodes = /^(ECONN|EPIPE|ETIMEDOUT|57P0[123]$|08)/
/** What pg says without a code. */
const lossMessages =
  /connection terminated|connection ended|timeout expired|timeout exceeded when trying to connect|connection error/i

/** Whether it says that the database was away, anywhere in its chain of causes: nothing about the statement, then. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (code === errors.databaseUnavailable.code || lossCodes.test(code)) return true
  if (!isDatabaseFailure(error) && lossMessages.test(error.message)) return true
  return isConnectionLoss(error.cause)
}

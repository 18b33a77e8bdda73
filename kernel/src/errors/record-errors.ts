// The rows of errors.ts on the record itself.
import { defineError } from '../plinth-error.ts'

type Nothing = Record<string, never>

export const recordErrors = {
  routeNotFound: defineError<{ method: string; path: string }>(
    'ROUTE_NOT_FOUND',
    404,
    'info',
    (d) => `There is no ${d.method} ${d.path}.`,
  ),
  recordNotFound: defineError<{ entity: string; id: string }>(
    'RECORD_NOT_FOUND',
    404,
    'info',
    (d) => `There is no ${d.entity} '${d.id}'.`,
  ),
  recordConflict: defineError<{ entity: string; fields: readonly string[] }>(
    'RECORD_CONFLICT',
    409,
    'info',
    (d) => `Another ${d.entity} has the same ${d.fields.join(' and ')}.`,
  ),
  recordInUse: defineError<{ entity: string; id: string }>(
    'RECORD_IN_USE',
    409,
    'info',
    (d) => `The ${d.entity} '${d.id}' is used by other records and cannot be deleted.`,
  ),
  recordImmutable: defineError<{ entity: string; id: string; state: string }>(
    'RECORD_IMMUTABLE',
    409,
    'info',
    (d) => `The ${d.entity} '${d.id}' is ${d.state} and can no longer be changed or deleted.`,
  ),
  transitionInvalid: defineError<{ entity: string; from: string; to: string; allowed: readonly string[] }>(
    'TRANSITION_INVALID',
    409,
    'info',
    (d) =>
      `A ${d.entity} that is '${d.from}' cannot become '${d.to}'. From here: ${d.allowed.join(', ') || 'nothing'}.`,
  ),
  versionConflict: defineError<{ entity: string; id: string; version?: number }>(
    'VERSION_CONFLICT',
    412,
    'info',
    (d) =>
      `The ${d.entity} '${d.id}' ${d.version === undefined ? 'has changed' : `is at version ${d.version} now`}. Read it again and repeat the change.`,
  ),
  writeConflict: defineError<Nothing>(
    'WRITE_CONFLICT',
    409,
    'info',
    () => 'Another request changed the same records at the same time. Try again.',
  ),
}

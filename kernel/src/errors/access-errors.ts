// The rows of errors.ts on what a caller may do.
import { defineError } from '../plinth-error.ts'

export const accessErrors = {
  forbidden: defineError<{ permission: string; record?: string; field?: string }>(
    'FORBIDDEN',
    403,
    'info',
    (d) =>
      `You lack the permission '${d.permission}'${d.field === undefined ? '' : ` for the field '${d.field}'`}.`,
  ),
}

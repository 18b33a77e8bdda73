// Yes or no.
import { type Field, field } from './field.ts'

/** True or false. */
export const bool = (): Field<boolean> => field({ kind: 'bool' })

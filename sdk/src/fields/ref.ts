// A link to another record.
import { type Field, field } from './field.ts'
import type { Id } from './values.ts'

/**
 * The id of a record: `t.ref('account')` of this plugin (checked by a foreign key; what is referred to cannot be
 * deleted), `t.ref('crm.account')` of another.
 */
export const ref = <const E extends string>(entity: E): Field<Id<E>> => field({ kind: 'ref', entity })

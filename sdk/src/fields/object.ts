// A nested object, for inputs and replies only: what is stored has a table, and a table has columns.
import type { FieldSpec } from '../manifest.ts'
import type { Fields, FieldType, In, Out } from './field.ts'
import { specsOf } from './specs-of.ts'

/** An object. */
export interface ObjectField<F extends Fields, O extends boolean = false>
  extends FieldType<Out<F>, O, false, In<F>> {
  /** May be absent. */
  optional(): ObjectField<F, true>
}

/** A nested object in the input or the reply of an action, route or service. Not allowed in an entity. */
export const object = <F extends Fields>(fields: F): ObjectField<F> =>
  objectField({ kind: 'object', fields: specsOf(fields) })

const objectField = <F extends Fields, O extends boolean = false>(spec: FieldSpec): ObjectField<F, O> => ({
  spec,
  optional: () => objectField<F, true>({ ...spec, optional: true }),
})

// The rows of a document: stored with it, in order, and never without it.
import type { FieldSpec } from '../manifest.ts'
import type { Fields, FieldType, In, Out } from './field.ts'
import { specsOf } from './specs-of.ts'

/** Lines of a record. */
export interface LinesField<F extends Fields, O extends boolean = false>
  extends FieldType<readonly Out<F>[], O, false, readonly In<F>[]> {
  /** May be absent, which differs from an empty list. */
  optional(): LinesField<F, true>
}

/** An ordered list of lines: `t.lines({ item: t.text(), price: t.money() })`. Writing replaces all lines of the record. */
export const lines = <F extends Fields>(fields: F): LinesField<F> =>
  linesField({ kind: 'lines', fields: specsOf(fields) })

const linesField = <F extends Fields, O extends boolean = false>(spec: FieldSpec): LinesField<F, O> => ({
  spec,
  optional: () => linesField<F, true>({ ...spec, optional: true }),
})

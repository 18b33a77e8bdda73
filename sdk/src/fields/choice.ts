// One of a closed set of words.
import { type Field, field } from './field.ts'

/** One of `values`: `t.choice(['asset', 'liability'])`. A word with transitions is a `t.state`. */
export const choice = <const V extends string>(values: readonly V[]): Field<V> =>
  field({ kind: 'choice', values: [...values] })

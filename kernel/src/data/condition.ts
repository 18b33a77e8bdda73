// A condition on the rows of one entity, as data. permissions/ makes it from the ability, list filters
// make it from the query; query-for-entity.ts turns it into SQL. Fields are names of the entity's record.

export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'contains'

export interface Comparison {
  readonly field: string
  readonly op: ComparisonOperator
  readonly value: unknown
  /** Texts are ordered by their bytes, as memory can order them too, and not by the database's collation. */
  readonly bytewise?: true
}

export type Condition =
  | boolean
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | Comparison

/** Whether a condition lets every row pass. */
export function isOpen(condition: Condition | undefined): boolean {
  if (condition === undefined || typeof condition === 'boolean') return condition !== false
  if ('all' in condition) return condition.all.every(isOpen)
  return 'any' in condition && condition.any.some(isOpen)
}

/** The fields that a condition asks of, each as often as it does. */
export function fieldsIn(condition: Condition): readonly string[] {
  if (typeof condition === 'boolean') return []
  if ('all' in condition) return condition.all.flatMap(fieldsIn)
  if ('any' in condition) return condition.any.flatMap(fieldsIn)
  return 'not' in condition ? fieldsIn(condition.not) : [condition.field]
}

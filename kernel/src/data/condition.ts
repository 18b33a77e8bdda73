// A condition on the rows of one entity, as data. permissions/ makes it from the ability, list filters
// make it from the query; query-for-entity.ts turns it into SQL. Fields are names of the entity's record.

export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'contains'

export type Condition =
  | boolean
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly field: string; readonly op: ComparisonOperator; readonly value: unknown }

/** Whether a condition lets every row pass. */
export function isOpen(condition: Condition | undefined): boolean {
  if (condition === undefined || typeof condition === 'boolean') return condition !== false
  if ('all' in condition) return condition.all.every(isOpen)
  return 'any' in condition && condition.any.some(isOpen)
}

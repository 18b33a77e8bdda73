// Lists of records: a filter, an order that leaves no two records equal, and pages that continue after a record rather
// than after a count, so that one added meanwhile neither hides nor repeats another.
import { errors } from '../errors.ts'
import { type Condition, isOpen } from './condition.ts'
import { cursorAfter, readCursor } from './list-cursor.ts'
import { type SortKey, sortProblem } from './list-fields.ts'
import type { SelectBuilder } from './query-for-entity.ts'
import { type EntityRecord, recordFromRow } from './record-rows.ts'
import type { Reader } from './statement.ts'
import type { EntityTable } from './table-for-entity.ts'

export interface ListQuery {
  readonly where?: Condition
  /** By id, that is in the order of creation, unless said. */
  readonly sort?: readonly SortKey[]
  /** 50 unless said, 200 at most. */
  readonly limit?: number
  readonly cursor?: string
}

export interface Page {
  readonly items: readonly EntityRecord[]
  /** Absent on the last page. */
  readonly cursor?: string
}

const defaultPage = 50
/** Of one page, whoever asks for it. */
export const largestPage = 200

export async function listRecords(
  table: EntityTable,
  select: SelectBuilder,
  reader: Reader,
  query: ListQuery,
  condition: Condition,
): Promise<Page> {
  const limit = Math.min(Math.max(query.limit ?? defaultPage, 1), largestPage)
  const sort = fullSort(table, query.sort ?? [])
  const after = query.cursor === undefined ? undefined : readCursor(table, query, sort, query.cursor)
  const statement = select({
    tenant: reader.tenant,
    conditions: [query.where ?? true, condition].filter((part) => !isOpen(part)),
    sort,
    // One more tells whether there is another page.
    limit: limit + 1,
    ...(after ? { after } : {}),
  })
  const { rows } = await reader.query(table.role, { ...statement, readOnly: true })
  const items = rows.slice(0, limit).map((row) => recordFromRow(table, row))
  const last = rows.length > limit ? items.at(-1) : undefined
  return last ? { items, cursor: cursorAfter(table, query, sort, last) } : { items }
}

function fullSort({ spec }: EntityTable, sort: readonly SortKey[]): SortKey[] {
  const problem = sortProblem(spec, sort)
  if (problem) throw errors.validation({ errors: [problem] })
  if (sort.some(({ field }) => field === 'id')) return [...sort]
  // In the direction of the last key, so that one comparison of rows can find the next page.
  return [...sort, { field: 'id', descending: sort.at(-1)?.descending ?? false }]
}

// A statement that must touch one row and fails by itself where it touches none: it may go out together with COMMIT, when
// nobody is there any more to look at a count.
import { isDatabaseFailure } from './database-failure.ts'
import { prepared, type Statement } from './statement.ts'

/** division_by_zero */
const noRow = '22012'

/** Of an UPDATE or DELETE by a whole key, without RETURNING: as `prepared`. */
export const touchingOne = (text: string): ((values: readonly unknown[]) => Statement) =>
  prepared(`WITH touched AS (${text} RETURNING 1) SELECT 1 / count(*) FROM touched`)

/** Whether this is what such a statement was refused for. */
export const touchedNone = (failure: unknown): boolean => isDatabaseFailure(failure) && failure.code === noRow

// The parts of the syntax tree that INSERT, UPDATE and DELETE add to those of a report (./node-shapes.ts).
import type { NodeShapes } from './node-shapes.ts'

const relation = { inline: 'RangeVar' } as const
const withClause = { inline: 'WithClause' } as const
const returningClause = { inline: 'ReturningClause' } as const

export const writeShapes: NodeShapes = {
  InsertStmt: {
    relation,
    cols: 'nodes',
    selectStmt: 'nodes',
    onConflictClause: { inline: 'OnConflictClause' },
    returningClause,
    withClause,
    override: { oneOf: ['OVERRIDING_NOT_SET'] },
  },
  UpdateStmt: {
    relation,
    targetList: 'nodes',
    whereClause: 'nodes',
    fromClause: 'nodes',
    returningClause,
    withClause,
  },
  DeleteStmt: {
    relation,
    usingClause: 'nodes',
    whereClause: 'nodes',
    returningClause,
    withClause,
  },
  // No options: they rename OLD and NEW.
  ReturningClause: { exprs: 'nodes' },
  OnConflictClause: {
    action: { oneOf: ['ONCONFLICT_NOTHING', 'ONCONFLICT_UPDATE'] },
    infer: { inline: 'InferClause' },
    targetList: 'nodes',
    whereClause: 'nodes',
    location: 'plain',
  },
  InferClause: { indexElems: 'nodes', location: 'plain' },
  IndexElem: {
    name: 'plain',
    ordering: { oneOf: ['SORTBY_DEFAULT'] },
    nulls_ordering: { oneOf: ['SORTBY_NULLS_DEFAULT'] },
  },
}

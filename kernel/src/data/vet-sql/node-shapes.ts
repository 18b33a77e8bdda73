// The parts of PostgreSQL's syntax tree that a report may consist of: node kind -> field -> what may stand there.
// A node or a field that is not in this table refuses the text, so a new PostgreSQL version adds nothing by itself.

/**
 * `plain`: a string, number or boolean. `nodes`: a node or a list of nodes, each wrapped in its kind.
 * `{ inline }`: the named node without its wrapper. `{ oneOf }`: one of these words.
 */
export type FieldRule =
  | 'plain'
  | 'nodes'
  | { readonly inline: string }
  | { readonly oneOf: readonly string[] }

export type NodeShape = Readonly<Record<string, FieldRule>>

const location = 'plain'
const alias = { inline: 'Alias' } as const
const typeName = { inline: 'TypeName' } as const
const select = { inline: 'SelectStmt' } as const

export type NodeShapes = Readonly<Record<string, NodeShape>>

export const nodeShapes: NodeShapes = {
  // the statement; INTO (creates a table) and FOR UPDATE (holds locks) are left out on purpose
  SelectStmt: {
    distinctClause: 'nodes',
    targetList: 'nodes',
    fromClause: 'nodes',
    whereClause: 'nodes',
    groupClause: 'nodes',
    groupDistinct: 'plain',
    havingClause: 'nodes',
    windowClause: 'nodes',
    valuesLists: 'nodes',
    sortClause: 'nodes',
    limitOffset: 'nodes',
    limitCount: 'nodes',
    // WITH TIES may return any number of rows past the limit
    limitOption: { oneOf: ['LIMIT_OPTION_DEFAULT', 'LIMIT_OPTION_COUNT'] },
    withClause: { inline: 'WithClause' },
    op: { oneOf: ['SETOP_NONE', 'SETOP_UNION', 'SETOP_INTERSECT', 'SETOP_EXCEPT'] },
    all: 'plain',
    larg: select,
    rarg: select,
  },
  WithClause: { ctes: 'nodes', recursive: 'plain', location },
  CommonTableExpr: {
    ctename: 'plain',
    aliascolnames: 'nodes',
    ctematerialized: 'plain',
    ctequery: 'nodes',
    location,
  },
  ResTarget: { name: 'plain', val: 'nodes', location },
  GroupingSet: { kind: 'plain', content: 'nodes', location },
  SortBy: {
    node: 'nodes',
    // not SORTBY_USING: it names an operator
    sortby_dir: { oneOf: ['SORTBY_DEFAULT', 'SORTBY_ASC', 'SORTBY_DESC'] },
    sortby_nulls: 'plain',
    location,
  },
  WindowDef: {
    name: 'plain',
    refname: 'plain',
    partitionClause: 'nodes',
    orderClause: 'nodes',
    frameOptions: 'plain',
    startOffset: 'nodes',
    endOffset: 'nodes',
    location,
  },

  // FROM; no schema or database name before a table, no TABLESAMPLE, XMLTABLE or JSON_TABLE
  RangeVar: { relname: 'plain', inh: 'plain', relpersistence: { oneOf: ['p'] }, alias, location },
  RangeSubselect: { lateral: 'plain', subquery: 'nodes', alias },
  RangeFunction: { lateral: 'plain', ordinality: 'plain', functions: 'nodes', alias },
  JoinExpr: {
    jointype: { oneOf: ['JOIN_INNER', 'JOIN_LEFT', 'JOIN_RIGHT', 'JOIN_FULL'] },
    larg: 'nodes',
    rarg: 'nodes',
    usingClause: 'nodes',
    quals: 'nodes',
    alias,
  },
  Alias: { aliasname: 'plain', colnames: 'nodes' },

  // expressions
  ColumnRef: { fields: 'nodes', location },
  ParamRef: { number: 'plain', location },
  A_Star: {},
  A_Const: {
    ival: { inline: 'Integer' },
    fval: { inline: 'Float' },
    sval: { inline: 'String' },
    boolval: { inline: 'Boolean' },
    isnull: 'plain',
    location,
  },
  Integer: { ival: 'plain' },
  Float: { fval: 'plain' },
  String: { sval: 'plain' },
  Boolean: { boolval: 'plain' },
  List: { items: 'nodes' },
  A_Expr: {
    kind: {
      oneOf: [
        'AEXPR_OP',
        'AEXPR_OP_ANY',
        'AEXPR_OP_ALL',
        'AEXPR_DISTINCT',
        'AEXPR_NOT_DISTINCT',
        'AEXPR_NULLIF',
        'AEXPR_IN',
        'AEXPR_LIKE',
        'AEXPR_ILIKE',
        'AEXPR_BETWEEN',
        'AEXPR_NOT_BETWEEN',
        'AEXPR_BETWEEN_SYM',
        'AEXPR_NOT_BETWEEN_SYM',
      ],
    },
    name: 'nodes',
    lexpr: 'nodes',
    rexpr: 'nodes',
    rexpr_list_start: 'plain',
    rexpr_list_end: 'plain',
    location,
  },
  BoolExpr: { boolop: 'plain', args: 'nodes', location },
  NullTest: { arg: 'nodes', nulltesttype: 'plain', location },
  BooleanTest: { arg: 'nodes', booltesttype: 'plain', location },
  CaseExpr: { arg: 'nodes', args: 'nodes', defresult: 'nodes', location },
  CaseWhen: { expr: 'nodes', result: 'nodes', location },
  CoalesceExpr: { args: 'nodes', location },
  MinMaxExpr: { op: 'plain', args: 'nodes', location },
  SubLink: {
    subLinkType: { oneOf: ['EXISTS_SUBLINK', 'ALL_SUBLINK', 'ANY_SUBLINK', 'EXPR_SUBLINK', 'ARRAY_SUBLINK'] },
    testexpr: 'nodes',
    operName: 'nodes',
    subselect: 'nodes',
    location,
  },
  RowExpr: { args: 'nodes', row_format: 'plain', location },
  A_ArrayExpr: { elements: 'nodes', list_start: 'plain', list_end: 'plain', location },
  A_Indirection: { arg: 'nodes', indirection: 'nodes' },
  A_Indices: { is_slice: 'plain', lidx: 'nodes', uidx: 'nodes' },
  // not SVFOP_CURRENT_USER and its kin: they name the kernel's own roles
  SQLValueFunction: {
    op: {
      oneOf: [
        'SVFOP_CURRENT_DATE',
        'SVFOP_CURRENT_TIME',
        'SVFOP_CURRENT_TIMESTAMP',
        'SVFOP_LOCALTIME',
        'SVFOP_LOCALTIMESTAMP',
      ],
    },
    typmod: 'plain',
    location,
  },
  FuncCall: {
    funcname: 'nodes',
    args: 'nodes',
    agg_order: 'nodes',
    agg_filter: 'nodes',
    over: { inline: 'WindowDef' },
    agg_within_group: 'plain',
    agg_star: 'plain',
    agg_distinct: 'plain',
    funcformat: 'plain',
    location,
  },
  NamedArgExpr: { arg: 'nodes', name: 'plain', argnumber: 'plain', location },
  GroupingFunc: { args: 'nodes', location },
  TypeCast: { arg: 'nodes', typeName, location },
  TypeName: { names: 'nodes', typmods: 'nodes', typemod: 'plain', arrayBounds: 'nodes', location },
}

/** How a plugin author calls what the parser calls something else. */
export const plainWords: Readonly<Record<string, string>> = {
  'SelectStmt.intoClause': 'SELECT INTO',
  'SelectStmt.lockingClause': 'FOR UPDATE or FOR SHARE',
  'SelectStmt.limitOption': 'FETCH FIRST ... WITH TIES',
  'RangeVar.schemaname': 'a schema name before a table',
  'RangeVar.catalogname': 'a database name before a table',
  'RangeFunction.coldeflist': 'a column definition list',
  'RangeFunction.is_rowsfrom': 'ROWS FROM',
  'JoinExpr.isNatural': 'NATURAL JOIN (write USING or ON)',
  'JoinExpr.join_using_alias': 'an alias after USING',
  'CommonTableExpr.search_clause': 'SEARCH',
  'CommonTableExpr.cycle_clause': 'CYCLE',
  'FuncCall.func_variadic': 'VARIADIC',
  'A_Expr.kind': 'SIMILAR TO',
  'InsertStmt.override': 'OVERRIDING',
  'InferClause.conname': 'ON CONFLICT ON CONSTRAINT (name the columns)',
  'InferClause.whereClause': 'WHERE in the columns of ON CONFLICT',
  'ReturningClause.options': 'WITH after RETURNING',
  'ResTarget.indirection': 'a part of a column after SET',
  'SortBy.sortby_dir': 'ORDER BY ... USING',
  'SQLValueFunction.op': 'CURRENT_USER and its like',
  'TypeName.setof': 'SETOF',
  'TypeName.pct_type': '%TYPE',
  SetToDefault: 'DEFAULT (leave the column out)',
  MultiAssignRef: 'SET (a, b) = ... (write SET a = ..., b = ...)',
  CurrentOfExpr: 'WHERE CURRENT OF',
  CollateClause: 'COLLATE',
  RangeTableSample: 'TABLESAMPLE',
  RangeTableFunc: 'XMLTABLE',
  JsonTable: 'JSON_TABLE',
}

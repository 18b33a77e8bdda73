// What an enemy sends as SQL: the attack, the statements, the wall that answers, and the answer.

export interface SqlAttack {
  readonly attack: string
  /** In one request, one after the other. `OTHER` stands for the other tenant's id, `THEIRS` for its secret. */
  readonly statement: string | readonly string[]
  /** Which wall is meant to answer: the vetting, the database (role, rights, row policies), a limit. */
  readonly defence: 'vetting' | 'database' | 'limit' | 'none needed'
  readonly expected: RegExp
  /** Of `desk`, which may only read; `shop` may write. */
  readonly via?: 'desk' | 'shop'
  readonly values?: readonly unknown[]
}

const refused = /SQL_REFUSED/
const vetting = 'vetting'
const all = (
  statements: readonly string[],
  attack: string,
  rest: Partial<SqlAttack> = {},
): readonly SqlAttack[] =>
  statements.map((statement) => ({ attack, statement, defence: vetting, expected: refused, ...rest }))

const inSelect = (expressions: readonly string[]) => expressions.map((one) => `select ${one} as x`)

export const sqlAttacks: readonly SqlAttack[] = [
  ...all(
    [
      'create table x (a int)',
      'create temp table x as select * from item',
      'create function f() returns int language sql as $$ select 1 $$',
      'create view v as select * from item',
      'alter table item disable row level security',
      'drop table item',
      'truncate item',
      "do $$ begin perform set_config('plinth.tenant_id', 'OTHER', true); end $$",
      'call f()',
      'explain analyze delete from item',
      'prepare p as select 1',
      'declare c cursor with hold for select * from item',
      'vacuum',
      'merge into item a using item b on a.id = b.id when matched then delete',
    ],
    'a statement of another kind',
  ),
  ...all(
    [
      'commit',
      'rollback',
      'savepoint s',
      'rollback to savepoint plinth_read',
      'release savepoint plinth_read',
      'abort',
    ],
    'the end of the transaction',
  ),
  ...all(
    [
      'reset role',
      'set role none',
      'set session authorization default',
      "set plinth.tenant_id = 'OTHER'",
      'reset all',
      'discard all',
      'set statement_timeout = 0',
      'set transaction_read_only = off',
      'show plinth.tenant_id',
    ],
    'another role or setting',
  ),
  ...all(
    inSelect([
      "set_config('plinth.tenant_id', 'OTHER', true)",
      "pg_catalog.set_config('role', 'none', true)",
      "current_setting('plinth.tenant_id')",
      'kernel.tenant_id()',
      'current_user',
      "query_to_xml('select * from item', true, true, '')",
      "ts_stat('select 1')",
      "dblink('', 'select 1')",
      'pg_sleep(10)',
      'pg_terminate_backend(1)',
      'pg_read_file($$/etc/passwd$$)',
      "regexp_replace('a', 'a', 'b')",
      "json_populate_record(null::item, '{}')",
    ]),
    'a function',
  ),
  ...all(
    [
      'select (10::float8).pg_sleep',
      "select ('select 1'::text).ts_stat",
      'select i.row_to_json from item i',
      'select (i).code from item i',
      'select item.pg_sleep from item',
      "update item set code = ('x'::text).ts_stat",
      'delete from item returning item.to_json',
      'select x.pg_advisory_lock from generate_series(1, 2) as x',
    ],
    'a function as an attribute',
  ),
  ...all(
    [
      'select * from pg_class',
      'select * from pg_catalog.pg_roles',
      'select * from information_schema.tables',
      'select * from pg_settings',
      'select * from pg_stat_activity',
      'select * from pg_locks',
      "select 'kernel.tenant'::regclass",
      'select tableoid::int from item',
      'select xmin, ctid from item',
      "update pg_settings set setting = '0' where name = 'statement_timeout'",
    ],
    'the catalogue',
  ),
  ...all(
    [
      'select * from kernel.tenant',
      'select * from kernel.audit',
      'select * from kernel.tenant_key',
      'select * from plugin_desk.item',
      'select * from "plugin_desk.item"',
      'insert into plugin_desk.item (code) values (1)',
      'delete from kernel.audit',
      'select * from kernel.outbox',
      'select * from kernel.task',
      "update kernel.task set state = 'waiting'",
      "select * from kernel.claim_tasks('events.shop', 'OTHER', '', 'shop', '{active}', 9, 'w', 1)",
      'select * from bullmq.job',
      'delete from bullmq.job',
      'select * from identity."user"',
      'select * from number_series',
      'update number_series set last = 0',
    ],
    'another schema, or a table of the kernel',
  ),
  ...all(
    [
      'select * from item for update',
      'select * from item for key share skip locked',
      'lock table item in access exclusive mode',
      'select pg_advisory_lock(1)',
      'select pg_try_advisory_xact_lock(1)',
    ],
    'a lock',
  ),
  ...all(
    ['listen plinth_config', 'notify plinth_config', "select pg_notify('plinth_config', '{}')", 'unlisten *'],
    'a message to other kernels',
  ),
  ...all(
    [
      "select nextval('s')",
      "select setval('s', 1)",
      'select lastval()',
      "insert into deal (title, number) values ('x', 'D-1')",
    ],
    'a sequence or a number',
  ),
  ...all(
    [
      'copy item to stdout',
      "copy item from program 'id'",
      "select lo_import('/etc/passwd')",
      'select lo_create(0)',
      "select xmlparse(document '<a/>')",
      "select xpath('/a', null)",
      "select * from xmltable('/a' passing '<a/>' columns b text)",
      "select * from json_table('{}', '$' columns (a int path '$'))",
    ],
    'files, large objects, XML',
  ),
  ...all(
    [
      'select 1; delete from item',
      'select 1 \0; drop table item',
      "select 'a\0b'",
      'select * into temp x from item',
      'with x as (delete from item returning *) select * from x',
      'with x as (insert into item (code) values (1) returning *) delete from item using x',
      '-- nothing',
      `select ${'(select '.repeat(900)}1${')'.repeat(900)}`,
      `select ${'not '.repeat(2_000)}true`,
      `select ${'1 + '.repeat(4_000)}1`,
      `select ${Array(3_000).fill('1').join(',')}`,
      `select '${'x'.repeat(16_300)}'::text`.padEnd(16_500),
    ],
    'a statement in a statement, a NUL, nesting',
    { expected: /SQL_REFUSED|CAPABILITY_DENIED/ },
  ),
  ...all(
    inSelect([
      "repeat('x', 1000000000)",
      "lpad('x', 1000000000)",
      "format('%1000000000s', 'x')",
      'array_fill(1, array[100000000])',
      'random()',
    ]),
    'a bomb of one call',
  ),
  ...all(
    [
      "update item set tenant_id = 'OTHER'",
      "insert into item (code, tenant_id) values ('x', 'OTHER')",
      'update item set version = 1',
      "update item set created_by = 'somebody'",
      'update item set id = id',
      "insert into item (code) values ('x') on conflict (code) do update set version = 1",
      "insert into item (code) values ('x') on conflict on constraint item_code_key do nothing",
      "update deal set stage = 'won'",
      'delete from deal',
      "update deal_lines set memo = 'x'",
      "insert into item (code) overriding system value values ('x')",
      'delete from item where current of c',
    ],
    'a column or record that is the kernel’s',
  ),
  ...all(
    ['delete from item', "insert into item (code) values ('x')", "update item set code = 'x'"],
    'a write by who may only read',
    { via: 'desk' },
  ),
  {
    attack: 'a join bomb',
    statement: 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b',
    defence: 'limit',
    expected: /LIMIT_EXCEEDED.*sql time/,
    via: 'desk',
  },
  {
    attack: 'a recursion without end',
    statement: 'with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r',
    defence: 'limit',
    expected: /LIMIT_EXCEEDED.*sql time|SQL_REFUSED.*53400/,
    via: 'desk',
  },
  {
    attack: 'an array bomb',
    statement: 'select array_agg(array[a, a, a, a, a, a, a, a]) as x from generate_series(1, 1000000) a',
    defence: 'limit',
    expected: /LIMIT_EXCEEDED.*sql (bytes|time)/,
    via: 'desk',
  },
  {
    attack: 'too many rows',
    statement: 'select a from generate_series(1, 60000) a',
    defence: 'limit',
    expected: /LIMIT_EXCEEDED.*rowsRead/,
    via: 'desk',
  },
  {
    attack: 'everything that is there',
    statement: ['select * from item', 'delete from item returning *'],
    defence: 'database',
    expected: /"status":200/,
  },
  {
    attack: 'an update of all',
    statement: "update item set stock = 666 where code <> 'nothing' returning code, stock",
    defence: 'database',
    expected: /"status":200/,
  },
  {
    attack: 'a value that is a statement',
    statement: 'select code from item where code = $1',
    values: ["'; delete from item; --"],
    defence: 'none needed',
    expected: /"status":200/,
  },
  {
    attack: 'a value too many, for the place of the actor',
    statement: "insert into item (code) values ('actor')",
    values: ['somebody else'],
    defence: 'vetting',
    expected: /SQL_REFUSED.*0 parameters/,
  },
  {
    attack: 'a unique key as an oracle: the other tenant’s value can be taken',
    statement: "insert into item (code) values ('THEIRS') returning code",
    defence: 'none needed',
    expected: /"status":200/,
  },
  {
    attack: 'a foreign key as an oracle: the other tenant’s record does not exist',
    statement: "insert into item (code, parent) values ('y', 'THEIRID')",
    defence: 'database',
    expected: /SQL_REFUSED.*23503/,
  },
  {
    attack: 'an id of another tenant is free here',
    statement: "insert into item (id, code) values ('THEIRID', 'z') returning version",
    defence: 'none needed',
    expected: /"status":200/,
  },
]

// ctx.sql: reading, writing, and what is refused.
import { answers, type Case, refuses } from '../case.ts'

const three = `await ctx.sql\`insert into tag (code, n) values ('a', \${1}), ('b', \${2}), ('c', \${3})\`;`

export const sqlCases: readonly Case[] = [
  answers(
    'sql gives rows with their types',
    `async (ctx) => { await five(ctx); return ctx.sql\`select note.n, note.amount, note.on, note.done from note where note.n > \${2} order by note.n\` }`,
    [{ n: 3, amount: '3.5', on: '2026-01-04', done: false }, { n: 4 }, { n: 5 }],
  ),
  answers(
    'sql aggregates, with a list as a parameter',
    `async (ctx) => { await five(ctx); return ctx.sql\`select note.kind, count(*) as many, sum(note.amount) as total from note where note.kind = any(\${['a', 'b']}) group by note.kind order by note.kind\` }`,
    [{ kind: 'a', total: '10.5' }, { kind: 'b' }],
  ),
  answers(
    'a value in sql is a value',
    `async (ctx) => ctx.sql\`select \${"x'; drop table note; --"}::text as said\``,
    [{ said: "x'; drop table note; --" }],
  ),
  refuses('sql of another module', '(ctx) => ctx.sql`select * from plugin_helper.thing`', 502, 'SQL_REFUSED'),
  refuses(
    'sql that fails in the database',
    `(ctx) => ctx.sql\`select 1 / \${0}::int as x\``,
    502,
    'SQL_REFUSED',
  ),
  answers(
    'sql that may only read reads',
    `async (ctx) => { await ctx.uses.helper.make({ text: 'x' }); return (await ctx.uses.helper.read()).rows }`,
    [{ text: 'x' }],
  ),
  refuses('sql that may only read and writes', `(ctx) => ctx.uses.helper.wipe()`, 502, 'SQL_REFUSED'),
  answers(
    'sql inserts, with what records promise, and gives what it is asked to return',
    `async (ctx) => { ${three} const [made] = await ctx.sql\`insert into tag (code) values ('d') returning code, n, version\`; return [made, (await ctx.entities.tag.list({ code: 'b' })).items[0].n] }`,
    [{ code: 'd', n: null, version: 1 }, 2],
  ),
  answers(
    'sql updates and counts the versions',
    `async (ctx) => { ${three} await ctx.sql\`update tag set n = tag.n * 10 where tag.n > \${1}\`; return ctx.sql\`select tag.code, tag.n, tag.version from tag order by tag.code\` }`,
    [
      { code: 'a', n: 1, version: 1 },
      { code: 'b', n: 20, version: 2 },
      { code: 'c', n: 30, version: 2 },
    ],
  ),
  answers(
    'sql deletes',
    `async (ctx) => { ${three} await ctx.sql\`delete from tag where tag.code = any(\${['a', 'c']})\`; return ctx.sql\`select tag.code from tag\` }`,
    [{ code: 'b' }],
  ),
  answers(
    'sql inserts what is there already, and says so',
    `async (ctx) => { ${three} return ctx.sql\`insert into tag (code, n) values ('a', 9) on conflict (code) do update set n = excluded.n returning n\` }`,
    [{ n: 9 }],
  ),
  refuses(
    'sql that breaks a unique key',
    `async (ctx) => { ${three} await ctx.sql\`insert into tag (code) values ('a')\` }`,
    502,
    'SQL_REFUSED',
  ),
  refuses(
    'sql that breaks a unique key, caught, undoes the whole',
    `async (ctx) => { ${three} await ctx.sql\`insert into tag (code) values ('a')\`.catch(() => 0); return 'went on' }`,
    502,
    'SQL_REFUSED',
  ),
  refuses(
    'sql that writes records which become immutable',
    '(ctx) => ctx.sql`update note set n = 1`',
    502,
    'SQL_REFUSED',
  ),
  refuses(
    'sql that sets what the kernel sets',
    '(ctx) => ctx.sql`update tag set version = 7`',
    502,
    'SQL_REFUSED',
  ),
  refuses(
    'sql that was written before a failure is undone',
    `async (ctx) => { ${three} fail('CLOSED', { text: 'it' }) }`,
    409,
    'CLOSED',
  ),
]

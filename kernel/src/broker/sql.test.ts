// What the broker asks before a plugin's SQL is looked at: whether it was granted, and whether the input has a form.
// The guest picks the call by its manifest; whoever has broken out of it picks what he likes.
import t from 'tap'
import { manifestOf } from '../../../tests/support/manifest.ts'
import { createSqlVetter } from '../data/vet-sql.ts'
import { resolveLimits } from '../entitlements/governor-limits.ts'
import { openGate } from './gate.ts'
import { Spending } from './spending.ts'
import { sqlScope } from './sql-scope.ts'
import type { Work } from './work.ts'

const limits = resolveLimits('request')

function gateOf(needs: { readonly sql?: 'read' | 'write' }) {
  const manifest = { ...manifestOf('trial', {}), needs }
  const plugin = { manifest, role: 'r', vetSql: createSqlVetter(sqlScope(manifest)) }
  // No unit of work: what gets as far as the database fails here as what it is not.
  return openGate({ plugin, spending: new Spending({ limits }) } as unknown as Work)
}

const read = { text: 'select 1', values: [] }

t.test('a call that the manifest does not ask for is denied', async (t) => {
  await t.rejects(gateOf({})('sql.read', read), { code: 'CAPABILITY_DENIED' })
  await t.rejects(gateOf({})('sql.write', read), { code: 'CAPABILITY_DENIED' })
  await t.rejects(gateOf({ sql: 'read' })('sql.write', read), {
    code: 'CAPABILITY_DENIED',
    message: /needs.sql: 'write'/,
  })
  const reached = { name: 'TypeError' }
  await t.rejects(gateOf({ sql: 'read' })('sql.read', read), reached)
  await t.rejects(gateOf({ sql: 'write' })('sql.write', read), reached)
})

t.test('input of another form is denied before the text is parsed', async (t) => {
  const gate = gateOf({ sql: 'write' })
  for (const input of [
    null,
    'select 1',
    { text: 'select 1' },
    { text: 1, values: [] },
    { ...read, role: 'plinth_kernel' },
    { ...read, values: [{ toString: 'x' }] },
    { ...read, values: Array(1_001).fill(1) },
    { ...read, values: [Array(10_001).fill(1)] },
    { text: `select '${'x'.repeat(16_384)}'`, values: [] },
  ]) {
    await t.rejects(
      gate('sql.write', input),
      { code: 'CAPABILITY_DENIED' },
      JSON.stringify(input)?.slice(0, 60),
    )
  }
})

t.test('looking at a text counts as CPU, also when it is refused', async (t) => {
  const manifest = manifestOf('trial', {})
  const needs = { sql: 'read' as const }
  const spending = new Spending({ limits: { ...limits, cpu: 0.001, calls: 10_000 } })
  const plugin = { manifest: { ...manifest, needs }, role: 'r', vetSql: createSqlVetter(sqlScope(manifest)) }
  const gate = openGate({ plugin, spending } as unknown as Work)
  // The system counts a thread's CPU in ticks of some milliseconds: one look may cost none, a thousand do not.
  const looks = Array.from({ length: 1_000 }, (_, i) => `select pg_sleep(${i})`)
  const answers = await Promise.allSettled(looks.map((text) => gate('sql.read', { text, values: [] })))
  t.match(answers.at(-1), { reason: { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } } })
})

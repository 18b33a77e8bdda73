// Two plugins that hand any SQL to ctx.sql: `shop` may write, `desk` may read. What an enemy would send, a test sends.
import type { PluginPackage } from './installation.ts'
import type { Reply, Send } from './kernel.ts'

const source = (name: string, need: string) => `
import { definePlugin, entity, t } from '@plinth/sdk'
const item = entity('Item', {
  code: t.text().range(1, 200).unique(),
  stock: t.int().optional(),
  parent: t.ref('item').optional(),
}, { path: 'items' })
const deal = entity('Deal', {
  title: t.text(),
  number: t.sequence('D-{0000}'),
  stage: t.state({ open: ['won'], won: [] }),
  lines: t.lines({ memo: t.text() }),
}, { path: 'deals', immutableIn: ['won'] })
export default definePlugin({
  name: '${name}', title: '${name}', entities: { item, deal }, needs: { sql: '${need}' },
  routes: {
    sql: {
      method: 'POST', path: '/sql', input: { script: t.text().range(2, 900_000) },
      async run(ctx, { script }) {
        const { create, statements } = JSON.parse(script)
        if (create) await ctx.entities.item.create({ code: create })
        const answers = []
        for (const { text, values = [], repeat = 0 } of statements) {
          for (let n = 0; n <= repeat; n += 1) {
            const rows = await ctx.sql([text.replaceAll('{n}', String(n))], ...values)
            answers.push(rows.slice(0, 20))
          }
        }
        return { answers: answers.slice(-20) }
      },
    },
  },
})`

export const sqlPlugins: Readonly<Record<string, PluginPackage>> = {
  '@test/shop': { source: source('shop', 'write') },
  '@test/desk': { source: source('desk', 'read') },
}

export interface SqlLine {
  readonly text: string
  readonly values?: readonly unknown[]
  /** How many times more; {n} in the text is the number of the turn. */
  readonly repeat?: number
}

/** Runs statements one after the other in one request; with `create` after a record has been made. */
export const runSql = (
  send: Send,
  module: string,
  statements: readonly (SqlLine | string)[],
  create?: string,
): Promise<Reply> =>
  send('POST', `/v1/${module}/sql`, {
    script: JSON.stringify({
      create,
      statements: statements.map((one) => (typeof one === 'string' ? { text: one } : one)),
    }),
  })

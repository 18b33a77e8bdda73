// The plugin of the style page, without an annotation anywhere, then what it lacks: a route, a service, a hook.
// biome-ignore-all lint/correctness/noUnusedFunctionParameters: the handlers are written as the documentation has them

import { addDays, daysBetween, definePlugin, entity, fail, t, use } from '@plinth/sdk'
import type { Oms } from './oms.ts'

const invoice = entity('Invoice', {
  number: t.sequence('INV-{year}-{00000}'),
  account: t.ref('crm.account'),
  order: t.ref('oms.order').optional(),
  lines: t.lines({ item: t.text(), quantity: t.decimal(), price: t.money() }),
  dueOn: t.date().optional(),
  note: t.text().optional(),
  status: t.state({ draft: ['issued', 'void'], issued: ['paid', 'void'], paid: [], void: [] }),
})

export default definePlugin({
  name: 'invoicing',
  title: 'Invoicing',
  uses: { oms: use<Oms>('^1.4') },
  settings: { termDays: t.int().range(0, 365).default(30) },
  entities: { invoice },
  events: { 'invoice.overdue': { invoice: t.ref('invoice'), daysLate: t.int() } },
  actions: {
    invoice: {
      issue: { to: 'issued', run: (ctx) => ({ dueOn: addDays(ctx.today, ctx.settings.termDays) }) },
      void: { to: 'void', input: { note: t.text() }, run: (ctx, invoice, { note }) => ({ note }) },
    },
  },
  on: {
    async 'oms.order.fulfilled'(ctx, { order }) {
      const bill = await ctx.uses.oms.billFor({ order })
      const { account } = await ctx.entities.invoice.create({ order, ...bill })
      await ctx.enqueue('remind', { account }, { unique: account, priority: -1 })
      await ctx.enqueue('announceOverdue')
    },
  },
  jobs: {
    remind: {
      title: 'Remind one account',
      input: { account: t.ref('crm.account'), again: t.bool().default(false), note: t.text().optional() },
      attempts: 3,
      rate: { max: 10, perSeconds: 60 },
      async run(ctx, { account, again, note }) {
        const { items } = await ctx.entities.invoice.list({ account })
        await ctx.job.progress(0.5, note?.trim() ?? `attempt ${ctx.job.attempt}`)
        if (!again && items.length > 0)
          await ctx.enqueue('remind', { account, again: true }, { delayMs: 1000 })
        return { reminded: items.length }
      },
    },
    announceOverdue: {
      schedule: '0 6 * * *',
      async run(ctx) {
        const late = ctx.entities.invoice.each({ status: 'issued', dueOn: { before: ctx.today } })
        for await (const { id: invoice, dueOn } of late) {
          await ctx.emit('invoice.overdue', { invoice, daysLate: daysBetween(dueOn, ctx.today) })
        }
        const { id } = await ctx.enqueue('announceOverdue', {}, { at: new Date(), unique: 'again' })
        ctx.log.info(id.trim())
      },
    },
  },
})

export const subscriber = definePlugin({
  name: 'archive',
  title: 'Archive',
  uses: { oms: use<Oms>('^1.4') },
  entities: { invoice },
  on: {
    'oms.order.fulfilled': {
      whileDisabled: 'skip',
      async run(ctx, { order }) {
        await ctx.entities.invoice.list({ order })
      },
    },
  },
})

export const withReports = definePlugin({
  name: 'invoicing',
  title: 'Invoicing',
  uses: { oms: use<Oms>('^1.4', { optional: true }) },
  needs: { sql: 'read' },
  entities: { invoice },
  errors: { NOTHING_TO_BILL: { status: 422, message: 'An invoice needs a line.' } },
  routes: {
    overdue: {
      title: 'Overdue invoices',
      method: 'GET',
      path: '/reports/overdue',
      query: { asOf: t.date().optional() },
      returns: { count: t.int(), oldest: t.object({ number: t.text() }).optional() },
      async run(ctx, { asOf = ctx.today }) {
        const [row] = await ctx.sql`select count(*) as count from invoice where due_on < ${asOf}`
        return { count: Number(row?.count ?? 0), days: daysBetween(asOf, ctx.today) }
      },
    },
    remindAll: {
      method: 'POST',
      path: '/reminders',
      input: { text: t.text().range(1, 500) },
      run: (ctx, { text }) => ctx.log.info(text.trim()),
    },
  },
  services: {
    billAccount: {
      input: { account: t.ref('crm.account'), lines: t.lines({ item: t.text(), memo: t.text().optional() }) },
      async run(ctx, { account, lines }) {
        const priced = lines.map(({ item, memo }) => ({
          item: memo === undefined ? item : `${item}: ${memo}`,
          quantity: '1',
          price: { amount: '0.00', currency: ctx.tenant.currency },
        }))
        const { id, number } = await ctx.entities.invoice.create({ account, lines: priced })
        return { invoice: id, number: number.toUpperCase() }
      },
    },
  },
  hooks: {
    invoice: {
      validate(_ctx, { lines, status }) {
        if (status !== 'draft' && lines.length === 0) fail('NOTHING_TO_BILL', { field: 'lines' })
      },
    },
  },
  actions: {
    invoice: {
      rebill: {
        title: 'Bill again',
        async run(ctx, { order }) {
          if (order === undefined) return
          const bill = await ctx.uses.oms?.billFor({ order })
          return bill && { lines: bill.lines }
        },
      },
    },
  },
  roles: {
    member: {
      can: ['invoice.read', 'invoice.create', { permission: 'invoice.update', own: true }, 'route.overdue'],
    },
    biller: { title: 'Biller', can: ['invoice.*', 'invoice.rebill', 'route.*'] },
  },
})

// Mistakes that must not compile. Each `@ts-expect-error` fails the type check when its mistake begins to pass.

import { addDays, created, definePlugin, entity, fail, money, t, use } from '@plinth/sdk'
import type { Oms } from './oms.ts'

const invoice = entity('Invoice', {
  number: t.sequence('INV-{00000}', { at: 'issued' }),
  account: t.ref('crm.account'),
  kind: t.choice(['sale', 'service']).default('sale'),
  dueOn: t.date().optional(),
  lines: t.lines({ item: t.text(), price: t.money().optional() }),
  status: t.state({ draft: ['issued'], issued: [] }),
})

// @ts-expect-error an index on an unknown field
entity('Wrong', { name: t.text() }, { indexes: [['nam']] })
// @ts-expect-error immutable in an unknown state
entity('Wrong', { status: t.state({ draft: [] }) }, { immutableIn: ['posted'] })
// @ts-expect-error a transition to an unknown state
t.state({ draft: ['isued'], issued: [] })
// @ts-expect-error a default outside the choices
t.choice(['sale', 'service']).default('rent')
// @ts-expect-error dates have no range
t.date().range(1, 2)
// @ts-expect-error the kernel writes numbers, so there is no default
t.sequence('{00000}').default('1')
// @ts-expect-error money is text, never a float
money(12.5, 'USD')

definePlugin({
  name: 'x',
  title: 'X',
  uses: { oms: use<Oms>('^1'), maybe: use<Oms>('^1', { optional: true }) },
  needs: { http: ['api.example.com'], secrets: { apiKey: { title: 'Key', host: 'api.example.com' } } },
  settings: { days: t.int().default(3), lockedThrough: t.date().optional() },
  entities: { invoice },
  events: { late: { invoiceId: t.ref('invoice') } },
  actions: {
    invoice: {
      // @ts-expect-error wrong state
      a: { title: 'A', to: 'isued' },
      // @ts-expect-error a choice is no state
      sell: { title: 'S', to: 'sale' },
      http: {
        title: 'H',
        async run(ctx) {
          await ctx.http.fetch('https://api.example.com', {
            headers: { authorization: ctx.secrets.apiKey.bearer() },
          })
          // @ts-expect-error no such secret
          ctx.secrets.apiKye.bearer()
          // @ts-expect-error a secret is no text
          const text: string = ctx.secrets.apiKey.raw()
          // @ts-expect-error no such method
          await ctx.http.fetch(text, { method: 'TRACE' })
          // @ts-expect-error sql was not asked for
          await ctx.sql`select 1`
        },
      },
      b: {
        title: 'B',
        to: 'issued',
        async run(ctx, record) {
          // @ts-expect-error account id is not an invoice id
          await ctx.entities.invoice.get(record.account)
          // @ts-expect-error unknown setting
          ctx.settings.dys
          // @ts-expect-error an optional setting may be absent
          ctx.settings.lockedThrough.length
          // @ts-expect-error wrong payload
          await ctx.emit('late', { invoiceId: record.account })
          // @ts-expect-error unknown event
          await ctx.emit('lat', { invoiceId: record.id })
          // @ts-expect-error missing required account
          await ctx.entities.invoice.create({ lines: [] })
          // @ts-expect-error a line without its item
          await ctx.entities.invoice.create({ account: record.account, lines: [{}] })
          // @ts-expect-error a new record begins in its first state
          await ctx.entities.invoice.create({ account: record.account, lines: [], status: 'issued' })
          // @ts-expect-error the number is the kernel's
          await ctx.entities.invoice.update(record.id, { number: 'INV-1' })
          // @ts-expect-error an unknown state
          await ctx.entities.invoice.update(record.id, { status: 'isued' })
          // @ts-expect-error an unknown field in a filter
          await ctx.entities.invoice.list({ duOn: ctx.today })
          // @ts-expect-error an unknown field to sort by
          await ctx.entities.invoice.list({}, { sort: '-duOn' })
          // @ts-expect-error a filter on what is no choice
          await ctx.entities.invoice.list({ kind: { in: ['rent'] } })
          // @ts-expect-error an absent number is undefined
          record.number.length
          // @ts-expect-error an optional date may be absent
          addDays(record.dueOn, 1)
          // @ts-expect-error the optional module may be absent
          await ctx.uses.maybe.billFor
          // @ts-expect-error records are read, not written
          record.kind = 'service'
          await ctx.emit('late', { invoiceId: record.id })
          const due: number = ctx.settings.days
          return { dueOn: addDays(ctx.today, due) }
        },
      },
      // @ts-expect-error changes must be fields
      c: { title: 'C', run: (ctx) => ({ duOn: ctx.today }) },
      d: {
        title: 'D',
        input: { n: t.int() },
        run: (ctx, _record, { n }) => {
          // @ts-expect-error n is a number
          const s: string = n
          return { dueOn: addDays(ctx.today, Number(s)) }
        },
      },
      // @ts-expect-error created takes a record
      e: { title: 'E', run: () => created({ number: '1' }) },
      f: { title: 'F', run: async (ctx, { id }) => created(await ctx.entities.invoice.get(id)) },
    },
  },
  on: {
    async 'oms.order.fulfilled'(ctx, e) {
      // @ts-expect-error not in the payload
      e.nope
      const id: string = e.order
      // @ts-expect-error not a service of oms
      await ctx.uses.oms.nope({ id })
      // @ts-expect-error a service's input is checked
      await ctx.uses.oms.billFor({ id })
    },
  },
})

definePlugin({
  name: 'y',
  title: 'Y',
  entities: { invoice },
  actions: {
    invoce: {
      a: {
        title: 'A',
        async run(_ctx, record) {
          // @ts-expect-error unknown entity: its records are `never`
          record.account
        },
      },
      // @ts-expect-error unknown entity: it has no states
      b: { to: 'issued' },
    },
  },
})

definePlugin({
  name: 'z',
  title: 'Z',
  uses: { oms: use<Oms>('^1') },
  entities: { invoice },
  on: {
    // @ts-expect-error unknown event
    async 'oms.order.fulfiled'() {},
  },
  jobs: {
    // @ts-expect-error a job needs code
    idle: { schedule: '* * * * *' },
    close: {
      input: { year: t.int(), note: t.text().optional() },
      async run(ctx, { year, note }) {
        // @ts-expect-error an int is a number
        year.trim()
        // @ts-expect-error an optional text may be absent
        note.trim()
        // @ts-expect-error there is no such job
        await ctx.enqueue('colse', { year })
        // @ts-expect-error it requires its input
        await ctx.enqueue('close')
        // @ts-expect-error the year is missing
        await ctx.enqueue('close', {})
        // @ts-expect-error the year is a number
        await ctx.enqueue('close', { year: '2026' })
        // @ts-expect-error it takes no such input
        await ctx.enqueue('close', { year, yaer: 1 })
        // @ts-expect-error no such option
        await ctx.enqueue('close', { year }, { delay: 5 })
        // @ts-expect-error an id is text
        const id: number = (await ctx.enqueue('close', { year }, { delayMs: 5 })).id
        // @ts-expect-error progress is a number
        await ctx.job.progress('half')
        return { id, next: await ctx.enqueue('j') }
      },
    },
    j: {
      schedule: '* * * * *',
      async run(ctx) {
        // @ts-expect-error http was not asked for
        ctx.http
        // @ts-expect-error nor were secrets
        ctx.secrets
      },
    },
  },
})

definePlugin({
  name: 'u',
  title: 'U',
  uses: { oms: use<Oms>('^1') },
  on: {
    // @ts-expect-error delivered or skipped, nothing else
    'oms.order.fulfilled': { whileDisabled: 'forget', run() {} },
  },
})

definePlugin({
  name: 'w',
  title: 'W',
  needs: { sql: 'read' },
  entities: { invoice },
  routes: {
    due: {
      title: 'Due',
      method: 'GET',
      path: '/reports/due',
      query: { asOf: t.date().optional() },
      async run(ctx, query) {
        // @ts-expect-error unknown query
        query.asof
        // @ts-expect-error an optional query may be absent
        addDays(query.asOf, 1)
        // @ts-expect-error http was not asked for
        ctx.http
        // @ts-expect-error an object is no sql value
        await ctx.sql`select ${{ a: 1 }}`
        const rows = await ctx.sql`select code from invoice where due_on <= ${query.asOf ?? ctx.today}`
        // @ts-expect-error rows are read, not written
        rows.push({})
        return { rows }
      },
    },
    // @ts-expect-error DELETE is an entity's
    gone: { title: 'Gone', method: 'DELETE', path: '/gone', run: async () => ({}) },
    // @ts-expect-error a route needs code
    empty: { title: 'Empty', method: 'GET', path: '/empty' },
  },
  services: {
    bill: {
      input: { account: t.ref('crm.account'), note: t.text().optional() },
      async run(ctx, input) {
        // @ts-expect-error unknown input
        input.acount
        // @ts-expect-error another entity's id
        await ctx.entities.invoice.get(input.account)
        // @ts-expect-error nothing is used
        ctx.uses.oms
        // @ts-expect-error it has no jobs
        await ctx.enqueue('bill')
        // @ts-expect-error nor is this one
        ctx.job
        return { ok: true }
      },
    },
  },
  hooks: {
    invoice: {
      validate(_ctx, record) {
        // @ts-expect-error unknown field
        record.duOn
        // @ts-expect-error a new record has no id yet
        record.id.length
        // @ts-expect-error a code is text
        if (record.kind === 'sale') fail(42)
      },
    },
    // @ts-expect-error unknown entity
    invoce: { validate() {} },
  },
  errors: {
    LATE: { status: 422, message: 'Late by {days} days.' },
    // @ts-expect-error a plugin answers for the caller's mistakes, not for the server's
    BROKEN: { status: 500, message: 'Broken.' },
    // @ts-expect-error an error says something
    SILENT: { status: 422 },
  },
  roles: {
    // @ts-expect-error unknown permission
    member: { title: 'Member', can: ['invoice.raed'] },
    // @ts-expect-error unknown route
    viewer: { title: 'Viewer', can: ['route.dew'] },
    clerk: {
      title: 'Clerk',
      can: ['invoice.read', 'route.due', { permission: 'invoice.update', own: true }],
    },
  },
})

// @ts-expect-error a plugin has a title
definePlugin({ name: 'v' })

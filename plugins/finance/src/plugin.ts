// Finance on one screen: what it keeps, what can be done with it, and who may.

import type { Oms } from '@plinth/oms/contract'
import { created, definePlugin, t, use } from '@plinth/sdk'
import { checkTypeKept } from './accounts.ts'
import { account, accountTypes } from './entities/account.ts'
import { invoice } from './entities/invoice.ts'
import { journalEntry, lineFields } from './entities/journal-entry.ts'
import { checkInvoice } from './invoice-rules.ts'
import { draftOnce, postInvoice } from './invoices.ts'
import { checkDraft, checkPosting, postJournal, reverse } from './ledger.ts'
import { refusals } from './refusals.ts'
import { movementOf, trialBalance, trialBalanceFields } from './trial-balance.ts'

export default definePlugin({
  name: 'finance',
  title: 'Finance',
  // Finance works without orders. Where there are some, what was shipped is invoiced.
  uses: { oms: use<Oms>('^0.1', { optional: true }) },
  needs: { sql: 'read' },
  settings: {
    // No posting on or before this date.
    lockedThrough: t.date().optional(),
    // What customers owe, and what was earned by it: an invoice is posted when both are set.
    receivableAccount: t.ref('account').optional(),
    revenueAccount: t.ref('account').optional(),
    paymentDays: t.int().range(0, 365).default(30),
  },
  entities: { account, journalEntry, invoice },
  events: {
    'journalEntry.posted': { entry: t.ref('journalEntry'), date: t.date() },
    'invoice.posted': {
      invoice: t.ref('invoice'),
      entry: t.ref('journalEntry'),
      date: t.date(),
      total: t.money(),
      order: t.ref('oms.order').optional(),
    },
  },
  on: { 'oms.order.shipped': draftOnce },
  errors: refusals,
  hooks: {
    account: { validate: checkTypeKept },
    journalEntry: { validate: checkDraft },
    invoice: { validate: (_ctx, invoice) => checkInvoice(invoice) },
  },
  actions: {
    journalEntry: {
      post: {
        title: 'Post',
        to: 'posted',
        async run(ctx, entry) {
          await checkPosting(ctx, entry)
          await ctx.emit('journalEntry.posted', { entry: entry.id, date: entry.date })
        },
      },
      reverse: {
        title: 'Reverse',
        input: { date: t.date(), description: t.text().range(1, 500).optional() },
        run: async (ctx, entry, input) => created(await reverse(ctx, entry, input)),
      },
    },
    invoice: {
      post: {
        title: 'Post',
        to: 'posted',
        async run(ctx, invoice) {
          const posted = await postInvoice(ctx, invoice)
          const { id, date, order } = invoice
          await ctx.emit('invoice.posted', { invoice: id, date, order, ...posted })
          return posted
        },
      },
      void: { title: 'Void', to: 'void' },
    },
  },
  services: {
    postJournal: {
      input: {
        date: t.date(),
        description: t.text().range(1, 500),
        reference: t.text().range(1, 200).optional(),
        lines: t.lines({
          ...lineFields,
          setting: t.text().range(1, 100).optional(),
          type: t.choice(accountTypes).optional(),
        }),
      },
      returns: { entry: t.ref('journalEntry'), number: t.text() },
      run: postJournal,
    },
  },
  routes: {
    trialBalance: {
      title: 'Trial balance',
      method: 'GET',
      path: '/reports/trial-balance',
      query: { asOf: t.date().optional() },
      returns: trialBalanceFields,
      async run(ctx, { asOf = ctx.today }) {
        const rows = await ctx.sql`
          select account.id, account.code, account.name, account.type,
            coalesce(line.debit_currency, line.credit_currency) as currency,
            sum(coalesce(line.debit_amount, 0)) as debit,
            sum(coalesce(line.credit_amount, 0)) as credit
          from journal_entry as entry
          join journal_entry_lines as line on line.journal_entry_id = entry.id
          join account on account.id = line.account
          where entry.status = 'posted' and entry.date <= ${asOf}
          group by account.id, account.code, account.name, account.type,
            coalesce(line.debit_currency, line.credit_currency)
          order by account.code, coalesce(line.debit_currency, line.credit_currency)`
        return trialBalance(asOf, rows.map(movementOf))
      },
    },
  },
  roles: {
    member: {
      title: 'Member',
      can: [
        'account.read',
        'journalEntry.read',
        'journalEntry.create',
        { permission: 'journalEntry.update', own: true },
        { permission: 'journalEntry.delete', own: true },
        'invoice.read',
        'route.trialBalance',
      ],
    },
    accountant: { title: 'Accountant', can: ['*'] },
    auditor: {
      title: 'Auditor',
      can: ['account.read', 'journalEntry.read', 'invoice.read', 'route.trialBalance'],
    },
  },
})

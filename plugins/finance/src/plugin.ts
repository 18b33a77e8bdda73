// Finance on one screen: what it keeps, what can be done with it, and who may.

import { created, definePlugin, t } from '@plinth/sdk'
import { account } from './entities/account.ts'
import { journalEntry, lineFields } from './entities/journal-entry.ts'
import { checkDraft, checkPosting, postJournal, reverse } from './ledger.ts'
import { refusals } from './refusals.ts'
import { movementOf, trialBalance, trialBalanceFields } from './trial-balance.ts'

export default definePlugin({
  name: 'finance',
  title: 'Finance',
  needs: { sql: 'read' },
  // No posting on or before this date.
  settings: { lockedThrough: t.date().optional() },
  entities: { account, journalEntry },
  events: { 'journalEntry.posted': { entry: t.ref('journalEntry'), date: t.date() } },
  errors: refusals,
  hooks: { journalEntry: { validate: checkDraft } },
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
  },
  services: {
    postJournal: {
      input: {
        date: t.date(),
        description: t.text().range(1, 500),
        reference: t.text().range(1, 200).optional(),
        lines: t.lines(lineFields),
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
        'route.trialBalance',
      ],
    },
    accountant: { title: 'Accountant', can: ['*'] },
    auditor: { title: 'Auditor', can: ['account.read', 'journalEntry.read', 'route.trialBalance'] },
  },
})

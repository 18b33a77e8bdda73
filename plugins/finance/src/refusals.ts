// Every reason for which this plugin refuses. Codes are wire names: they never change and are never reused.

export const refusals = {
  ENTRY_TOO_FEW_LINES: {
    status: 422,
    message: 'A journal entry needs at least two lines, and this one has {count}.',
  },
  ENTRY_TOO_MANY_ACCOUNTS: {
    status: 422,
    message:
      'A journal entry can be posted to {most} accounts at most, and this one names {count}. Split it.',
  },
  ENTRY_UNBALANCED: { status: 422, message: 'Debit and credit differ by {difference} {currency}.' },
  LINE_ONE_SIDE: { status: 422, message: 'Line {line} needs either a debit or a credit, and has {sides}.' },
  LINE_AMOUNT_NOT_POSITIVE: {
    status: 422,
    message: 'Line {line} has {amount} {currency}, and an amount must be greater than zero.',
  },
  ACCOUNT_UNKNOWN: { status: 422, message: 'Line {line} names an account that does not exist.' },
  ACCOUNT_INACTIVE: {
    status: 422,
    message: 'Line {line} is on account {account}, which is not active. Activate it or choose another.',
  },
  ACCOUNT_TYPE_FIXED: {
    status: 409,
    message:
      'Something was posted to account {account}, so it stays of the type {was}. Reverse that and use another account.',
  },
  SETTING_ACCOUNT: {
    status: 409,
    message: 'The setting {setting} names an account{why}. An admin names another.',
  },
  PERIOD_LOCKED: {
    status: 422,
    message: 'The books are locked through {lockedThrough}, so an entry cannot be dated {date}.',
  },
  ENTRY_NOT_POSTED: {
    status: 409,
    message: 'Only a posted entry can be reversed. Change or delete the draft.',
  },
  ENTRY_ALREADY_REVERSED: { status: 409, message: 'The entry {number} has been reversed already.' },
  REVERSAL_BY_ACTION: {
    status: 422,
    message: 'Only the action reverse makes an entry that reverses another.',
  },
  INVOICE_QUANTITY: {
    status: 422,
    message: 'A quantity must be greater than zero and below a thousand million, not {quantity}.',
  },
  INVOICE_PRICE: { status: 422, message: 'A price has {most} digits at most before the point.' },
  INVOICE_CURRENCIES: {
    status: 422,
    message: 'An invoice is in one currency: this line is in {currency}, the first one in {first}.',
  },
  INVOICE_DUE_BEFORE: { status: 422, message: 'An invoice of {date} cannot be due on {dueDate}.' },
  INVOICE_TOTAL: { status: 422, message: 'The lines come to {sum}. Correct the total or leave it out.' },
  INVOICE_ENTRY: { status: 422, message: 'Only posting the invoice makes its entry. Leave it out.' },
  INVOICE_OWES_NOTHING: {
    status: 422,
    message: 'The lines come to nothing or less, and an invoice that is posted asks for something.',
  },
  SETTING_MISSING: {
    status: 409,
    message: 'The setting {setting} of the module names no account yet. An admin sets it.',
  },
} as const

export type RefusalCode = keyof typeof refusals

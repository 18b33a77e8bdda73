// The field types in one table: a new one is a file and a row here.
import { bool } from './bool.ts'
import { choice } from './choice.ts'
import { date } from './date.ts'
import { decimal } from './decimal.ts'
import { int } from './int.ts'
import { lines } from './lines.ts'
import { money } from './money.ts'
import { object } from './object.ts'
import { ref } from './ref.ts'
import { sequence } from './sequence.ts'
import { state } from './state.ts'
import { text } from './text.ts'

/** The field types: `t.text()`, `t.money()`, `t.ref('account')` ... */
export const t = {
  text,
  int,
  decimal,
  bool,
  date,
  money,
  choice,
  ref,
  sequence,
  state,
  lines,
  object,
} as const

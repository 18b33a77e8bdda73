// Every kind of field, one row each.
import type { FieldSpec } from '@plinth/sdk'
import { bool } from './bool.ts'
import { choice } from './choice.ts'
import { date } from './date.ts'
import { decimal } from './decimal.ts'
import type { FieldKind } from './field-kind.ts'
import { int } from './int.ts'
import { lines } from './lines.ts'
import { money } from './money.ts'
import { object } from './object.ts'
import { ref } from './ref.ts'
import { sequence } from './sequence.ts'
import { state } from './state.ts'
import { text } from './text.ts'

export const fieldKinds: Readonly<Record<FieldSpec['kind'], FieldKind>> = {
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
}

// A decimal number as text: a JSON number has lost digits before anyone could look at it.
import { type FieldKind, oneColumn, type Place, refuse } from './field-kind.ts'

const form = /^(-?)0*(\d{1,30})(?:\.(\d{1,18}))?$/
const formAsSchema = '^-?\\d{1,30}(\\.\\d{1,18})?$'

/** Integer digits and decimals of a decimal text, else undefined with an error. */
export function parseDecimal(
  value: unknown,
  place: Place,
  below = '',
): { readonly text: string; readonly decimals: string } | undefined {
  if (typeof value === 'number') {
    return refuse(place, 'WRONG_TYPE', `must be a text such as "${value}", not a number.`, below)
  }
  const match = typeof value === 'string' ? form.exec(value) : null
  if (!match) {
    return refuse(place, 'DECIMAL_INVALID', 'must be a decimal number as text, such as "12.50".', below)
  }
  const [, sign = '', digits = '0', decimals = ''] = match
  const text = decimals === '' ? digits : `${digits}.${decimals}`
  return { text: sign === '-' && /[1-9]/.test(text) ? `-${text}` : text, decimals }
}

export const decimal: FieldKind = {
  ...oneColumn,
  parse: (value, _spec, place) => parseDecimal(value, place)?.text,
  jsonSchema: () => ({ type: 'string', pattern: formAsSchema, examples: ['12.50'] }),
}

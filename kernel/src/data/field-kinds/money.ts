// An amount with its currency, kept with exactly the decimals of that currency.
import { minorUnits } from '@plinth/sdk'
import { parseDecimal } from './decimal.ts'
import { type FieldKind, refuse } from './field-kind.ts'

const keys = ['amount', 'currency']

export const money: FieldKind = {
  parse(value, _spec, place) {
    const given = place.coerce && typeof value === 'string' ? fromText(value) : value
    if (typeof given !== 'object' || given === null || !('amount' in given) || !('currency' in given)) {
      return refuse(place, 'WRONG_TYPE', 'must be {"amount": "12.50", "currency": "USD"}.')
    }
    const unknown = Object.keys(given).find((key) => !keys.includes(key))
    if (unknown !== undefined) {
      return refuse(place, 'UNKNOWN_FIELD', 'does not exist: money has amount and currency.', `.${unknown}`)
    }
    const { amount, currency } = given
    const units = typeof currency === 'string' ? minorUnits(currency) : undefined
    if (typeof currency !== 'string' || units === undefined) {
      return refuse(
        place,
        'CURRENCY_UNKNOWN',
        'must be an ISO 4217 currency code, such as "USD".',
        '.currency',
      )
    }
    const parsed = parseDecimal(amount, place, '.amount')
    if (!parsed) return undefined
    const { text, decimals } = parsed
    if (decimals.length > units) {
      const most = units === 0 ? 'no decimals' : `at most ${units} decimals`
      return refuse(place, 'TOO_MANY_DECIMALS', `must have ${most}: it is in ${currency}.`, '.amount')
    }
    const missing = '0'.repeat(units - decimals.length)
    return { amount: decimals === '' && units > 0 ? `${text}.${missing}` : text + missing, currency }
  },
  toColumns: (value) =>
    typeof value === 'object' && value !== null && 'amount' in value
      ? [value.amount, value.currency]
      : [null, null],
  fromRow(row, at) {
    const amount = row[at]
    const currency = row[at + 1]
    return amount == null || currency == null ? undefined : { amount, currency }
  },
  jsonSchema: () => ({
    type: 'object',
    properties: {
      amount: { type: 'string', pattern: '^-?\\d{1,30}(\\.\\d{1,4})?$', examples: ['12.50'] },
      currency: { type: 'string', pattern: '^[A-Z]{3}$', examples: ['USD'] },
    },
    required: keys,
    additionalProperties: false,
  }),
}

/** In a query string: `12.50 USD`. */
function fromText(text: string): { amount: string; currency: string } {
  const [amount = '', currency = ''] = text.split(' ', 2)
  return { amount, currency }
}

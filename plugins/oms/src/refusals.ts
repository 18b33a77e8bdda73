// Every reason for which this plugin refuses. Codes are wire names: they never change and are never reused.

export const refusals = {
  OUT_OF_STOCK: {
    status: 409,
    message: 'Of {sku} {available} are free, and {wanted} are wanted. Receive more, or take less.',
  },
  QUANTITY_NOT_POSITIVE: { status: 422, message: 'A quantity must be greater than zero, not {quantity}.' },
  QUANTITY_ZERO: { status: 422, message: 'A correction of nothing corrects nothing.' },
  QUANTITY_TOO_FINE: {
    status: 422,
    message: 'A quantity has {most} decimals at most, and {quantity} has more.',
  },
  QUANTITY_TOO_LARGE: { status: 422, message: 'A quantity has {most} digits at most before the point.' },
  PRICE_NEGATIVE: { status: 422, message: 'A price or a cost is zero or more, not {amount} {currency}.' },
  PRICE_TOO_LARGE: { status: 422, message: 'A price or a cost has {most} digits at most before the point.' },
  ITEM_UNKNOWN: { status: 422, message: 'There is no such item.' },
  ITEM_INACTIVE: { status: 422, message: 'The item {sku} is not active. Activate it or choose another.' },
  ORDER_EMPTY: { status: 422, message: 'An order without lines cannot be confirmed.' },
  ORDER_TOO_LONG: { status: 422, message: 'An order has {most} lines at most, and this one has {count}.' },
  ORDER_CURRENCIES: {
    status: 422,
    message: 'An order is in one currency: this line is in {currency}, the first one in {first}.',
  },
  ORDER_FIELD_BY_ACTION: {
    status: 422,
    message: 'The field {field} is set by what is done to the order. Leave it out.',
  },
  ORDER_FIXED: {
    status: 409,
    message: 'An order that is {status} is not changed any more. Cancel it and make another.',
  },
  COST_CURRENCY: {
    status: 422,
    message: 'The stock is valued in {wanted}, and the cost is in {currency}.',
  },
  STOCK_BY_ACTION: {
    status: 422,
    message: 'Stock changes by receipts, corrections and orders alone, and each change leaves its move.',
  },
  SETTING_MISSING: {
    status: 409,
    message: 'The setting {setting} of the module names no account yet. An admin sets it.',
  },
} as const

export type RefusalCode = keyof typeof refusals

// Exact decimal arithmetic on text, by scaled bigint. Results keep the larger number of decimals and are never rounded
// unless asked: `addDecimals('1.50', '2')` is `'3.50'`.

/** Least work for a hostile or mistaken number: longer text than this is refused before it is turned into a bigint. */
const MAX_LENGTH = 200

interface Scaled {
  readonly units: bigint
  readonly scale: number
}

/** Whether `value` is a plain decimal number: an optional minus, digits, optional decimals. No exponent, plus or space. */
export const isDecimal = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_LENGTH && /^-?\d+(\.\d+)?$/.test(value)

export const addDecimals = (a: string, b: string): string => combine(a, b, (x, y) => x + y)
export const subtractDecimals = (a: string, b: string): string => combine(a, b, (x, y) => x - y)

/** The exact product, with the decimals of both: `multiplyDecimals('1.5', '0.10')` is `'0.150'`. */
export function multiplyDecimals(a: string, b: string): string {
  const x = parse(a)
  const y = parse(b)
  return format({ units: x.units * y.units, scale: x.scale + y.scale })
}

/** Below zero, zero or above, as `a` is less than, equal to or greater than `b`; `'1.0'` and `'1'` are equal. */
export function compareDecimals(a: string, b: string): -1 | 0 | 1 {
  const scale = Math.max(parse(a).scale, parse(b).scale)
  const difference = atScale(parse(a), scale) - atScale(parse(b), scale)
  return difference === 0n ? 0 : difference < 0n ? -1 : 1
}

export const negateDecimal = (value: string): string => {
  const { units, scale } = parse(value)
  return format({ units: -units, scale })
}

/** How many decimals are written: 2 for `'1.50'`. */
export const scaleOf = (value: string): number => parse(value).scale

/**
 * `value` with exactly `decimals` decimals; half is rounded away from zero, as commerce does: `roundDecimal('-0.125', 2)`
 * is `'-0.13'`.
 */
export function roundDecimal(value: string, decimals: number): string {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 100) {
    throw new RangeError(`${decimals} is not a number of decimals.`)
  }
  const { units, scale } = parse(value)
  if (scale <= decimals) return format({ units: atScale({ units, scale }, decimals), scale: decimals })
  const divisor = 10n ** BigInt(scale - decimals)
  const size = units < 0n ? -units : units
  const rounded = (size + divisor / 2n) / divisor
  return format({ units: units < 0n ? -rounded : rounded, scale: decimals })
}

function parse(value: string): Scaled {
  if (!isDecimal(value))
    throw new RangeError(`'${String(value).slice(0, 40)}' is not a decimal number such as '12.50'.`)
  const point = value.indexOf('.')
  return point < 0
    ? { units: BigInt(value), scale: 0 }
    : { units: BigInt(value.replace('.', '')), scale: value.length - point - 1 }
}

const atScale = ({ units, scale }: Scaled, wanted: number) => units * 10n ** BigInt(wanted - scale)

function combine(a: string, b: string, operation: (x: bigint, y: bigint) => bigint): string {
  const x = parse(a)
  const y = parse(b)
  const scale = Math.max(x.scale, y.scale)
  return format({ units: operation(atScale(x, scale), atScale(y, scale)), scale })
}

function format({ units, scale }: Scaled): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

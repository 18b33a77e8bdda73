// What a setting is, and how texts from the environment are read. A message never repeats what may be secret.
export interface Setting<T> {
  /** In the environment. */
  readonly name: string
  /** What stands in the docs when the setting is not given. */
  readonly default: string
  readonly meaning: string
  readonly parse: (text: string | undefined) => T
}

export const setting = <T>(
  name: string,
  fallback: string,
  meaning: string,
  parse: (text: string | undefined) => T,
): Setting<T> => ({
  name,
  default: fallback,
  meaning,
  parse,
})

export function integer(fallback: number, min: number, max: number) {
  return (text: string | undefined): number => {
    if (text === undefined) return fallback
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}, not '${text}'`)
    }
    return value
  }
}

export function oneOf<const T extends string>(fallback: T, values: readonly T[]) {
  return (text: string | undefined): T => {
    if (text === undefined) return fallback
    const value = values.find((v) => v === text)
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}, not '${text}'`)
    return value
  }
}

export function matching(pattern: RegExp, form: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new Error(`must be ${form}, not '${text}'`)
    return text
  }
}

export const list = (text: string | undefined): readonly string[] | undefined =>
  text
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

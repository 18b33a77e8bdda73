// What a tenant says of itself: checked against what the runtime knows (CLDR and the IANA time zones), and kept in
// the canonical form, so that nobody has to check it again. Its currency is one that money can be in: what the runtime
// knows beyond that would be a tenant whose modules cannot keep an amount.
import { minorUnits } from '@plinth/sdk'
import { errors, type FieldError } from '../errors.ts'

export interface ProfileChange {
  readonly name?: string
  readonly locale?: string
  readonly timeZone?: string
  readonly country?: string | null
  readonly company?: string | null
}

/** `de-ch` is `de-CH`; undefined for what is no language tag. */
function canonicalLocale(text: string): string | undefined {
  try {
    const [locale] = Intl.getCanonicalLocales(text)
    return locale !== undefined &&
      locale.length <= 64 &&
      Intl.DateTimeFormat.supportedLocalesOf(locale).length > 0
      ? locale
      : undefined
  } catch {
    return undefined
  }
}

/** `asia/calcutta` is `Asia/Kolkata` or the older name, as the runtime has it. An offset such as `+05:30` is no zone. */
function canonicalTimeZone(text: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(text)) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
/** Known to CLDR and no countries: the world's parts, what is unknown, and tests. */
const noCountries: ReadonlySet<string> = new Set(['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ'])

const isCountry = (code: string): boolean =>
  /^[A-Z]{2}$/.test(code) && !noCountries.has(code) && regions.of(code) !== undefined

/** The change with canonical values. @throws VALIDATION_FAILED that names every wrong field */
export function checkedProfile<T extends ProfileChange & { readonly currency?: string }>(change: T): T {
  const problems: FieldError[] = []
  const refuse = (field: string, message: string) => problems.push({ field, code: 'INVALID', message })
  const locale = change.locale === undefined ? undefined : canonicalLocale(change.locale)
  if (change.locale !== undefined && locale === undefined)
    refuse('locale', 'must be a language tag of BCP 47, such as en-IN')
  const timeZone = change.timeZone === undefined ? undefined : canonicalTimeZone(change.timeZone)
  if (change.timeZone !== undefined && timeZone === undefined)
    refuse('timeZone', 'must be a time zone of IANA, such as Asia/Kolkata')
  if (typeof change.country === 'string' && !isCountry(change.country))
    refuse('country', 'must be a country of ISO 3166-1, such as IN')
  if (change.currency !== undefined && minorUnits(change.currency) === undefined)
    refuse('currency', 'must be a currency of ISO 4217, such as INR')
  if (problems.length > 0) throw errors.validation({ errors: problems })
  return {
    ...change,
    ...(locale === undefined ? {} : { locale }),
    ...(timeZone === undefined ? {} : { timeZone }),
  }
}

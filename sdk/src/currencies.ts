// How many decimals each ISO 4217 currency has: the list of 2024-06-25, which a test compares with `currency-codes`, and
// the Caribbean guilder, which took the place of ANG on 2025-03-31.
// Metals, units of account and test codes, for which the standard gives no decimals (N.A.), have none.

/** Codes by decimals, as text: the isolate of every tenant loads this. */
const BY_DECIMALS: readonly (readonly [decimals: number, codes: string])[] = [
  [
    0,
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XAG XAU XBA XBB XBC XBD XDR XOF XPD ' +
      'XPF XPT XSU XTS XUA XXX',
  ],
  [
    2,
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD ' +
      'CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL ' +
      'GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD ' +
      'LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN ' +
      'PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB ' +
      'TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG',
  ],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
]

/** The decimals of a currency: 2 for `USD`, 0 for `JPY`, 3 for `KWD`; `undefined` for what is no currency. */
export function minorUnits(currency: string): number | undefined {
  return DECIMALS.get(currency)
}

const DECIMALS: ReadonlyMap<string, number> = new Map(
  BY_DECIMALS.flatMap(([decimals, codes]) => codes.split(' ').map((code) => [code, decimals] as const)),
)

/** Every ISO 4217 code, in order. */
export const currencyCodes = (): readonly string[] => [...DECIMALS.keys()].sort()

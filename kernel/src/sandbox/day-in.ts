// The calendar day that it is somewhere.

/** `2026-01-31`, now, in the IANA zone. A formatter of Intl would take thirty times as long. */
export const dayIn = (timeZone: string): string => Temporal.Now.plainDateISO(timeZone).toString()

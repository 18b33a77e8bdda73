// The languages that mail is written in.
export const languages = ['en', 'de'] as const

export type Language = (typeof languages)[number]

/** The language of a BCP 47 tag; English for those that mail is not written in. */
export const languageOf = (locale: string | undefined): Language =>
  languages.find((one) => one === locale?.slice(0, 2).toLowerCase()) ?? 'en'

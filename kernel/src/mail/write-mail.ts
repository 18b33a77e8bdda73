// A mail from its facts: subject, plain text and HTML, in the reader's language. Nothing is loaded from anywhere, and what
// people have written, names above all, is text and never markup or another header.
import type { Language } from './languages.ts'
import { type MailFacts, type MailKind, type MailText, mailTexts, type WrittenFacts } from './mail-texts.ts'

export interface WrittenMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

const longestName = 100

/** What people have written, as one line: no control characters, nothing that turns the direction of the text. */
const plain = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, longestName)

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escaped = (text: string): string => text.replace(/[&<>"']/g, (one) => escapes[one] ?? '')

/** A moment as people of that language write it, in UTC, for the kernel does not know where they are. */
const momentIn = (language: Language, at: Date): string =>
  `${new Intl.DateTimeFormat(language, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(at)} UTC`

function textOf<Kind extends MailKind>(language: Language, kind: Kind, facts: MailFacts[Kind]): MailText {
  const written = Object.entries<string | Date>(facts).map(([name, value]) => [
    name,
    value instanceof Date ? momentIn(language, value) : plain(value),
  ])
  // The same names, each with its text.
  return mailTexts[language][kind](Object.fromEntries(written) as WrittenFacts<Kind>)
}

export function writeMail<Kind extends MailKind>(
  language: Language,
  kind: Kind,
  facts: MailFacts[Kind],
  link?: string,
): WrittenMail {
  const { subject, paragraphs, button } = textOf(language, kind, facts)
  const [first = '', ...others] = paragraphs
  const html = [
    `<p>${escaped(first)}</p>`,
    ...(link === undefined
      ? []
      : [
          `<p><a href="${escaped(link)}">${escaped(button ?? link)}</a></p>`,
          `<p style="word-break:break-all">${escaped(link)}</p>`,
        ]),
    ...others.map((one) => `<p>${escaped(one)}</p>`),
  ].join('\n')
  return {
    subject,
    text: `${[first, ...(link === undefined ? [] : [link]), ...others].join('\n\n')}\n`,
    html: `<!doctype html>\n<html lang="${language}"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head>\n<body style="font-family:sans-serif;max-width:36em">\n${html}\n</body></html>\n`,
  }
}

// What is wrong with a schedule, in sentences: five fields of cron, as the kernel's reader of them takes them too.

import { didYouMean } from './did-you-mean.ts'

interface CronField {
  readonly title: string
  readonly least: number
  readonly most: number
  /** Words for its numbers, the first for `least`. */
  readonly words?: readonly string[]
}

const FIELDS: readonly CronField[] = [
  { title: 'minute', least: 0, most: 59 },
  { title: 'hour', least: 0, most: 23 },
  { title: 'day of the month', least: 1, most: 31 },
  {
    title: 'month',
    least: 1,
    most: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  {
    title: 'day of the week',
    least: 0,
    most: 7,
    words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  },
]
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** One sentence for each field that is none; none when all are. */
export function checkSchedule(schedule: string): string[] {
  const parts = schedule.split(' ')
  if (parts.length !== FIELDS.length || parts.includes('')) {
    return [
      `it needs five fields with one space between them, minute, hour, day of the month, month and day of the week, such as '0 6 * * 1-5'.`,
    ]
  }
  const wrong = FIELDS.flatMap((field, at) => checkField(field, parts[at] ?? ''))
  return wrong.length > 0 ? wrong : checkDays(parts)
}

function checkField(field: CronField, text: string): string[] {
  const wrong = text.split(',').flatMap((item) => checkItem(field, item))
  if (wrong.length > 0) return wrong
  // Sunday is 0 and 7.
  const inAll = field.most === 7 ? 7 : Number.POSITIVE_INFINITY
  const named = text
    .split(',')
    .flatMap((item) => [...new Set(valuesOf(field, item).map((value) => value % inAll))])
  const twice = named.find((value, at) => named.indexOf(value) !== at)
  return twice === undefined ? [] : [`the ${field.title} '${text}' names ${twice} twice.`]
}

function checkItem(field: CronField, item: string): string[] {
  const [range = '', step, ...more] = item.split('/')
  const [from = '', to, ...rest] = range.split('-')
  const { title, least, most, words = [] } = field
  if (more.length > 0 || rest.length > 0) return [`the ${title} '${item}' has a sign too many.`]
  if (step !== undefined && !(/^[0-9]{1,2}$/.test(step) && Number(step) >= 1 && Number(step) <= most))
    return [`the ${title} '${item}' has the step '${step}': use a number from 1 to ${most}.`]
  if (range === '*') return []
  const ends = to === undefined ? [from] : [from, to]
  const values = ends.map((end) => numberOf(field, end))
  const unknown = ends.find((_, at) => values[at] === undefined)
  if (unknown !== undefined)
    return [
      `the ${title} '${unknown}' is none: use * or a number from ${least} to ${most}.${didYouMean(unknown, words)}`,
    ]
  const [first = 0, last = most] = values
  return first > last ? [`the ${title} '${range}' ends before it begins.`] : []
}

/** Which values an item that is none too many stands for. */
function valuesOf(field: CronField, item: string): number[] {
  const [range = '', step] = item.split('/')
  const [from = '', to] = range.split('-')
  const first = numberOf(field, from) ?? field.least
  const last =
    to === undefined ? (range === '*' || step ? field.most : first) : (numberOf(field, to) ?? first)
  const every = Number(step ?? 1)
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, at) => first + at * every)
}

function numberOf({ least, most, words = [] }: CronField, text: string): number | undefined {
  const word = words.indexOf(text.toLowerCase())
  if (word >= 0) return least + word
  const value = Number(text)
  return /^[0-9]{1,2}$/.test(text) && value >= least && value <= most ? value : undefined
}

/** The 31st of February never comes, unless a day of the week comes besides. */
function checkDays([, , day = '*', month = '*', weekday = '*']: readonly string[]): string[] {
  if (day.includes('*') || month.includes('*') || !weekday.includes('*')) return []
  const [, , days, months] = FIELDS
  if (!days || !months) return []
  const first = Math.min(...day.split(',').flatMap((item) => valuesOf(days, item)))
  const named = month.split(',').flatMap((item) => valuesOf(months, item))
  return first > Math.max(...named.map((one) => DAYS[one - 1] ?? 0))
    ? [`no such month has a day ${first}.`]
    : []
}

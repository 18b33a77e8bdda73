// The trail as CSV (RFC 4180), page by page as fast as the reader takes it, so that a million rows need the memory of one
// page. A cell that a spreadsheet would run as a formula begins with an apostrophe.
import { Readable } from 'node:stream'
import Papa from 'papaparse'
import { allStand, type DefencesOff } from '../defences.ts'
import type { AuditItem, AuditPage } from './search-audit.ts'

const columns = [
  'at',
  'actor',
  'actorName',
  'onBehalfOf',
  'via',
  'module',
  'entity',
  'record',
  'action',
  'before',
  'after',
  'address',
  'agent',
  'requestId',
  'traceId',
  'id',
] as const

/** Of one export. The last line then says where to go on. */
export const mostExported = 1_000_000
export const exportPage = 500

type Line = Readonly<Record<(typeof columns)[number], string>>

const json = (value: object | null): string => (value === null ? '' : JSON.stringify(value))

const lineOf = (item: AuditItem): Line => ({
  at: item.at,
  actor: item.actor.id,
  actorName: item.actor.name ?? '',
  onBehalfOf: item.onBehalfOf ?? '',
  via: item.via ?? '',
  module: item.module,
  entity: item.entity,
  record: item.record,
  action: item.action,
  before: json(item.before),
  after: json(item.after),
  address: item.address ?? '',
  agent: item.agent ?? '',
  requestId: item.requestId,
  traceId: item.traceId ?? '',
  id: item.id,
})

// What spreadsheets take for the beginning of a formula, also behind blanks and in full width.
const formula = /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

export function csvText(items: readonly AuditItem[], header: boolean, off: DefencesOff = allStand): string {
  const text = Papa.unparse(
    { fields: [...columns], data: items.map(lineOf) },
    { header, newline: '\r\n', escapeFormulae: off.has('csvFormulas') ? false : formula },
  )
  return text === '' ? '' : `${text}\r\n`
}

/** `readPage` gives the page behind a cursor, as its reader may see it. */
export function exportAudit(
  readPage: (cursor: string | undefined) => Promise<AuditPage>,
  off: DefencesOff = allStand,
): Readable {
  async function* lines() {
    let cursor: string | undefined
    for (let rows = 0; rows < mostExported; ) {
      const page: AuditPage = await readPage(cursor)
      yield csvText(page.items, cursor === undefined, off)
      rows += page.items.length
      cursor = page.cursor
      if (cursor === undefined) return
      const last = page.items.at(-1)
      if (rows >= mostExported && last) yield `"more: ask again with to=${last.at}"\r\n`
    }
  }
  return Readable.from(lines(), { objectMode: false, highWaterMark: 64 * 1024 })
}

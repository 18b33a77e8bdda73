// Loads a set of books into a fresh tenant over HTTP, posts every entry in order, and compares the trial balance with
// the expected one at every date. Usage: npm run example:journal -- <folder of a case> [--url http://127.0.0.1:3000]
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import { type Call, createClient } from './client.ts'
import { type CaseEntry, type CaseLine, type JournalCase, readJournalCase } from './journal-case.ts'

interface TrialBalance {
  readonly rows: readonly {
    readonly account: { readonly code: string }
    readonly currency: string
    readonly debit: string
    readonly credit: string
    readonly balance: string
  }[]
  readonly totals: readonly { readonly currency: string; readonly debit: string; readonly credit: string }[]
}

async function openTenant(url: string, books: JournalCase): Promise<Call> {
  const headers: Record<string, string> = {}
  const call = createClient(url, headers)
  const unique = randomUUID().slice(0, 8)
  const account = { name: 'Example', email: `${unique}@example.com`, password: randomUUID() }
  const { token } = await call<{ token: string }>('POST', '/v1/auth/sign-up/email', account)
  headers['authorization'] = `Bearer ${token}`
  const slug = `${books.id.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${unique}`
  await call('POST', '/v1/tenants', { name: books.title.slice(0, 200), slug, currency: books.baseCurrency })
  headers['x-tenant-id'] = slug
  await call('POST', '/v1/tenant/modules', { module: 'finance' })
  console.log(`Tenant ${slug}: ${books.title}`)
  return call
}

async function createAccounts(call: Call, books: JournalCase): Promise<Map<string, string>> {
  const ids = new Map<string, string>()
  for (const { code, name, type } of books.accounts) {
    const { id } = await call<{ id: string }>('POST', '/v1/finance/accounts', { code, name, type })
    ids.set(code, id)
  }
  return ids
}

/** A signed amount becomes a debit or a credit, in the base currency where the case gives one. */
function toLine(line: CaseLine, ids: ReadonlyMap<string, string>, baseCurrency: string) {
  const amount = line.base_amount ?? line.amount
  const currency = line.base_amount === undefined ? line.currency : baseCurrency
  const isCredit = amount.startsWith('-')
  const money = { amount: isCredit ? amount.slice(1) : amount, currency }
  return { account: ids.get(line.account), ...(isCredit ? { credit: money } : { debit: money }) }
}

async function post(call: Call, entry: CaseEntry, ids: ReadonlyMap<string, string>, baseCurrency: string) {
  // A line of zero moves nothing, and the ledger takes none.
  const movements = entry.lines.filter((line) => /[1-9]/.test(line.base_amount ?? line.amount))
  if (movements.length === 0) return
  const draft = await call<{ id: string }>('POST', '/v1/finance/journal-entries', {
    date: entry.date,
    description: entry.description,
    reference: entry.no,
    lines: movements.map((line) => toLine(line, ids, baseCurrency)),
  })
  await call('POST', `/v1/finance/journal-entries/${draft.id}/post`)
}

/** Sentences about every figure that differs. */
async function compare(call: Call, books: JournalCase): Promise<string[]> {
  const differences: string[] = []
  const check = (what: string, expected: string | undefined, found: string | undefined) => {
    if (expected !== found)
      differences.push(`${what}: expected ${expected ?? 'none'}, found ${found ?? 'none'}`)
  }
  for (const { date, trial_balance: rows, totals } of books.expected) {
    const report = await call<TrialBalance>('GET', `/v1/finance/reports/trial-balance?asOf=${date}`)
    const found = new Map(report.rows.map((row) => [row.account.code, row]))
    for (const row of rows) {
      const ours = found.get(row.account)
      found.delete(row.account)
      for (const side of ['debit', 'credit', 'balance'] as const) {
        check(`${date} ${row.account} ${side}`, row[side], ours?.[side])
      }
    }
    for (const code of found.keys()) check(`${date} ${code}`, undefined, 'a row')
    const total = report.totals.find((t) => t.currency === books.baseCurrency)
    check(`${date} total debit`, totals.debit, total?.debit)
    check(`${date} total credit`, totals.credit, total?.credit)
  }
  return differences
}

/** Loads and compares; resolves to what differs. */
export async function loadJournal(url: string, folder: string): Promise<string[]> {
  const books = await readJournalCase(folder)
  const call = await openTenant(url, books)
  const ids = await createAccounts(call, books)
  const bar = new SingleBar({
    format: 'Posting {bar} {value}/{total} entries, {eta} s left',
    stopOnComplete: true,
    noTTYOutput: true,
  })
  bar.start(books.entries.length, 0)
  try {
    for (const entry of books.entries) {
      await post(call, entry, ids, books.baseCurrency)
      bar.increment()
    }
  } finally {
    bar.stop()
  }
  return compare(call, books)
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { url: { type: 'string', default: 'http://127.0.0.1:3000' } },
  })
  const [folder] = positionals
  if (folder === undefined) {
    console.error('Usage: npm run example:journal -- <folder with case.json> [--url http://127.0.0.1:3000]')
    process.exit(2)
  }
  const started = Date.now()
  const differences = await loadJournal(values.url, resolve(folder))
  if (differences.length > 0) {
    console.error(`${differences.length} figures differ:\n  ${differences.join('\n  ')}`)
    process.exit(1)
  }
  console.log(`Every figure agrees. ${((Date.now() - started) / 1000).toFixed(1)} s.`)
}

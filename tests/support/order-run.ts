// A shop over HTTP, and orders that go through it from the draft to the shipment. Every step may be sent again: an answer
// that was lost, a process that was killed and a place that was full are tried until they are done or the time is up.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Method, Reply, Send } from './kernel.ts'

const oms = '/v1/oms'
const finance = '/v1/finance'
const accounts = {
  inventoryAccount: ['1400', 'Inventory', 'asset'],
  receiptAccount: ['2100', 'Goods received', 'liability'],
  costAccount: ['5000', 'Cost of goods', 'expense'],
  correctionAccount: ['5100', 'Stock differences', 'expense'],
  receivableAccount: ['1200', 'Receivables', 'asset'],
  revenueAccount: ['4000', 'Revenue', 'income'],
} as const
type Account = keyof typeof accounts
const ofOms: readonly Account[] = ['inventoryAccount', 'receiptAccount', 'costAccount', 'correctionAccount']

export interface Shop {
  readonly accounts: Readonly<Record<Account, string>>
  /** Ids of its items, in the order of the ids. */
  readonly items: readonly string[]
}

export interface ShopOptions {
  readonly items: number
  /** How many of each are received, 4.00 a piece, and sold for 10.00. */
  readonly stock: string
  readonly currency?: string
}

const requestDeadlineMs = 120_000
const pauseMs = 50
/** Nothing was done, or nobody knows: the same request with the same key says which. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504])
const undecided = new Set(['IDEMPOTENCY_IN_PROGRESS', 'WRITE_CONFLICT'])

/** Sends it until there is an answer that stays. @throws when there is none in time */
export async function persist(send: Send, method: Method, path: string, body?: unknown): Promise<Reply> {
  const key = randomUUID()
  const deadline = Date.now() + requestDeadlineMs
  let last: Reply | Error | undefined
  while (Date.now() < deadline) {
    last = await send(method, path, body, { 'idempotency-key': key }).catch((error: Error) => error)
    if (!(last instanceof Error)) {
      const { status, body: said } = last
      if (!passing.has(status) && !undecided.has(String(said['code']))) return last
    }
    await sleep(pauseMs + Math.random() * pauseMs)
  }
  throw new Error(`${method} ${path} had no answer in time`, { cause: last })
}

async function must(send: Send, method: Method, path: string, body?: unknown): Promise<Reply['body']> {
  const reply = await persist(send, method, path, body)
  if (reply.status < 300) return reply.body
  throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`)
}

/** Accounts, settings, items and stock in a tenant that has enabled `finance` and `oms`. `send` is an owner's. */
export async function openShop(send: Send, options: ShopOptions): Promise<Shop> {
  const { currency = 'USD' } = options
  const ids: Partial<Record<Account, string>> = {}
  for (const [name, [code, title, type]] of Object.entries(accounts)) {
    const { id } = await must(send, 'POST', `${finance}/accounts`, { code, name: title, type })
    ids[name as Account] = String(id)
  }
  const made = ids as Record<Account, string>
  const settings = (names: readonly Account[]) => Object.fromEntries(names.map((name) => [name, made[name]]))
  await must(send, 'PATCH', '/v1/tenant/settings/oms', settings(ofOms))
  const rest: readonly Account[] = ['receivableAccount', 'revenueAccount']
  await must(send, 'PATCH', '/v1/tenant/settings/finance', settings(rest))
  const items: string[] = []
  for (let index = 0; index < options.items; index += 1) {
    const sku = `SKU-${index + 1}`
    const price = { amount: '10.00', currency }
    const { id } = await must(send, 'POST', `${oms}/items`, { sku, name: `Item ${index + 1}`, price })
    const unitCost = { amount: '4.00', currency }
    await must(send, 'POST', `${oms}/receipts`, { item: id, quantity: options.stock, unitCost })
    items.push(String(id))
  }
  return { accounts: made, items: items.sort() }
}

export interface Line {
  readonly item: string
  readonly quantity: string
}

/** Id of a new draft. */
export async function draftOrder(send: Send, lines: readonly Line[], customer = 'Ada Ltd'): Promise<string> {
  const { id } = await must(send, 'POST', `${oms}/orders`, { customer, date: '2026-03-31', lines })
  return String(id)
}

type Step = 'confirm' | 'ship' | 'cancel'
const after: Readonly<Record<Step, string>> = { confirm: 'confirmed', ship: 'shipped', cancel: 'cancelled' }

/** Resolves to undefined when the order is where the step leads, else to the code of the refusal. */
export async function take(send: Send, order: string, step: Step): Promise<string | undefined> {
  const reply = await persist(send, 'POST', `${oms}/orders/${order}/${step}`)
  if (reply.status === 200) return undefined
  // The answer of an attempt that did it may be gone: what counts is where the order is.
  const { status } = await must(send, 'GET', `${oms}/orders/${order}`)
  return status === after[step] ? undefined : String(reply.body['code'])
}

/** From the draft to the shipment. `index` picks the items: neighbours take the same two, in opposite order. */
export async function runOrder(send: Send, { items }: Shop, index: number): Promise<string> {
  const at = (offset: number) => items[(Math.floor(index / 2) + offset) % items.length] ?? ''
  const [first, second] = index % 2 === 0 ? [at(0), at(1)] : [at(1), at(0)]
  const lines = [
    { item: first, quantity: '1' },
    ...(items.length > 1 ? [{ item: second, quantity: '2' }] : []),
  ]
  const order = await draftOrder(send, lines, `Customer ${index}`)
  for (const step of ['confirm', 'ship'] as const) {
    const refused = await take(send, order, step)
    if (refused !== undefined) throw new Error(`the order ${index} could not ${step}: ${refused}`)
  }
  return order
}

/** So many orders, `atOnce` of them at a time. Resolves to their ids; the first that fails ends it. */
export async function runOrders(send: Send, shop: Shop, count: number, atOnce = 8): Promise<string[]> {
  const ids: string[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < count; index = next++) ids.push(await runOrder(send, shop, index))
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work))
  return ids
}

/** Sends each request to one of them, another one each time: what one does not answer, another is asked. */
export const anyOf = (sends: () => readonly Send[]): Send => {
  let turn = 0
  return (...request) => {
    const now = sends()
    const send = now[turn++ % now.length]
    return send ? send(...request) : Promise.reject(new Error('there is nobody to send it to'))
  }
}

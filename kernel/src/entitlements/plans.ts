// The price book: commercial modules, plans and what a plan includes, from the database. Amounts are INR a month.
import type pg from 'pg'
import type { LimitOverrides } from './governor-limits.ts'

export interface CatalogueModule {
  /** Commercial code, such as `oms_fulfillment`. */
  readonly code: string
  readonly title: string
  /** Id of the plugin that provides it, such as `oms`; absent when none is planned. */
  readonly module?: string
  readonly price: Price
}

export interface Price {
  readonly amount: string
  readonly currency: string
  readonly per: 'month'
}

export interface Plan {
  readonly code: string
  readonly title: string
  readonly price: Price
  /** Commercial codes of the modules it includes. */
  readonly includes: readonly string[]
  /** What it sets of the governor limits. */
  readonly limits: LimitOverrides
  /** Of all its people and programs together; absent: as the installation is set. */
  readonly requestsPerMinute?: number
  /** Of one of its people, and of one of its keys. */
  readonly userRequestsPerMinute?: number
  readonly keyRequestsPerMinute?: number
}

export interface PriceBook {
  readonly modules: readonly CatalogueModule[]
  readonly plans: readonly Plan[]
}

const price = (amount: string): Price => ({ amount, currency: 'INR', per: 'month' })

export async function readPriceBook(pool: pg.Pool): Promise<PriceBook> {
  const modules = await pool.query<{ code: string; title: string; module: string | null; price: string }>(
    'SELECT code, title, module, monthly_price::text AS price FROM kernel.catalogue_module ORDER BY code',
  )
  const plans = await pool.query<{
    code: string
    title: string
    price: string
    limits: LimitOverrides
    rate: number | null
    user_rate: number | null
    key_rate: number | null
    includes: string[]
  }>(
    `SELECT p.code, p.title, p.monthly_price::text AS price, p.limits, p.requests_per_minute AS rate,
            p.user_requests_per_minute AS user_rate, p.key_requests_per_minute AS key_rate,
            coalesce((SELECT array_agg(i.module_code ORDER BY i.module_code) FROM kernel.plan_module i WHERE i.plan_code = p.code), '{}') AS includes
       FROM kernel.plan p ORDER BY p.monthly_price`,
  )
  return {
    modules: modules.rows.map((row) => ({
      code: row.code,
      title: row.title,
      ...(row.module === null ? {} : { module: row.module }),
      price: price(row.price),
    })),
    plans: plans.rows.map((row) => ({
      code: row.code,
      title: row.title,
      price: price(row.price),
      includes: row.includes,
      limits: row.limits,
      ...(row.rate === null ? {} : { requestsPerMinute: row.rate }),
      ...(row.user_rate === null ? {} : { userRequestsPerMinute: row.user_rate }),
      ...(row.key_rate === null ? {} : { keyRequestsPerMinute: row.key_rate }),
    })),
  }
}

/** Sentences about prices that cannot be meant: a plan dearer than its modules bought one by one. */
export function checkPriceBook(book: PriceBook): string[] {
  return book.plans.flatMap((plan) => {
    const included = book.modules.filter((m) => plan.includes.includes(m.code))
    const sum = included.reduce((total, m) => total + Number(m.price.amount), 0)
    if (Number(plan.price.amount) <= sum) return []
    return [
      `Plan '${plan.code}' costs ${plan.price.amount} INR a month, more than its ${included.length} modules one by one (${sum.toFixed(2)}).`,
    ]
  })
}

// A kernel whose module `store` tells of what happens, with receivers of webhooks and people to listen.
import { randomUUID } from 'node:crypto'
import type { Config } from '../../kernel/src/config.ts'
import { makeInstallation } from './installation.ts'
import { type Send, sender, type TestKernel, type TestParts, testKernel } from './kernel.ts'
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts'

export const storeSource = `
import { definePlugin, entity, t } from '@plinth/sdk'
const order = entity('Order', { name: t.text().range(1, 200), margin: t.text().range(0, 200) })
const count = t.int().default(1)
export default definePlugin({
  name: 'store', title: 'Store',
  entities: { order },
  events: {
    'order.shipped': { order: t.ref('order'), margin: t.text().range(0, 200), note: t.text().range(0, 2000) },
    'bell.rung': { note: t.text().range(0, 2000) },
  },
  routes: {
    ship: {
      method: 'POST', path: '/ship', input: { order: t.ref('order'), note: t.text().range(0, 2000), count },
      async run(ctx, { order, note, count }) {
        const { margin } = await ctx.entities.order.get(order)
        for (let at = 0; at < count; at += 1) await ctx.emit('order.shipped', { order, margin, note })
        return {}
      },
    },
    ring: {
      method: 'POST', path: '/ring', input: { note: t.text().range(0, 2000), count },
      async run(ctx, { note, count }) {
        for (let at = 0; at < count; at += 1) await ctx.emit('bell.rung', { note })
        return {}
      },
    },
  },
  roles: { member: { can: ['order.create', 'route.ship', 'route.ring', { permission: 'order.read', own: true }] } },
})
`

export interface HooksLab extends TestKernel {
  readonly receiver: WebhookReceiver
  /** A new tenant with the store, whose owner's headers are known. */
  open(): Promise<HooksTenant>
  /** Somebody who listens and asks as a member. */
  join(tenant: HooksTenant, role: 'owner' | 'admin' | 'member'): Promise<HooksPerson>
}

export interface HooksPerson {
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
  readonly send: Send
}

export interface HooksTenant {
  readonly slug: string
  readonly id: string
  readonly owner: Send
  readonly headers: Readonly<Record<string, string>>
  /** Id of a new order, made by `send`. */
  order(send?: Send): Promise<string>
  ship(order: string, note?: string, count?: number): Promise<void>
  ring(note?: string, count?: number): Promise<void>
  /** A new webhook; its id and secret. */
  hook(host: string, body?: object): Promise<{ id: string; secret: string; url: string }>
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

export const storeInstallation = (t: Parameters<typeof makeInstallation>[0]): Promise<string> =>
  makeInstallation(t, { '@test/store': { source: storeSource } })

/** A delivery is tried again after a fifth of a second, four times in all. */
export const quickDelays = [0.2, 0.2, 0.2]

export async function hooksLab(
  t: Ending & Parameters<typeof makeInstallation>[0],
  overrides: Partial<Config> = {},
  parts: Omit<TestParts, 'world'> = {},
): Promise<HooksLab> {
  const receiver = await startWebhookReceiver(t)
  const pluginsRoot = await storeInstallation(t)
  const kernel = await testKernel(
    t,
    { pluginsRoot, webhookDelays: quickDelays, ...overrides },
    { ...parts, world: receiver.world },
  )
  async function person(slug: string): Promise<HooksPerson & { email: string }> {
    const email = `${randomUUID()}@example.com`
    const account = { name: 'A Person', email, password: 'correct horse battery' }
    const { body } = await kernel.send('POST', '/v1/auth/sign-up/email', account)
    const headers = { authorization: `Bearer ${String(body['token'])}`, 'x-tenant-id': slug }
    const { id } = body['user'] as { id: string }
    return { id, email, headers, send: sender(kernel.kernel, headers) }
  }
  return {
    ...kernel,
    receiver,
    async open() {
      const slug = `t-${randomUUID().slice(0, 8)}`
      const { send: owner, headers } = await person(slug)
      const { body } = await owner('POST', '/v1/tenants', { name: slug, slug, currency: 'USD' })
      await owner('POST', '/v1/tenant/modules', { module: 'store' })
      return hooksTenant({ slug, id: String(body['id']), owner, headers })
    },
    async join({ slug, owner }, role) {
      const one = await person(slug)
      await owner('POST', '/v1/tenant/members', { email: one.email, role })
      return one
    },
  }
}

const must = (reply: Awaited<ReturnType<Send>>, status: number) => {
  if (reply.status !== status)
    throw new Error(`${reply.status}, not ${status}: ${JSON.stringify(reply.body)}`)
  return reply.body
}

export function hooksTenant(tenant: Pick<HooksTenant, 'slug' | 'id' | 'owner' | 'headers'>): HooksTenant {
  const { owner } = tenant
  return {
    ...tenant,
    async order(send = owner) {
      return String(
        must(await send('POST', '/v1/store/orders', { name: 'a desk', margin: '12 %' }), 201)['id'],
      )
    },
    async ship(order, note = 'by post', count = 1) {
      must(await owner('POST', '/v1/store/ship', { order, note, count }), 200)
    },
    async ring(note = 'ding', count = 1) {
      must(await owner('POST', '/v1/store/ring', { note, count }), 200)
    },
    async hook(host, body = {}) {
      const url = `https://${host}/hooks`
      const made = await owner('POST', '/v1/tenant/webhooks', { url, events: ['*'], ...body })
      const { id, secret } = must(made, 201)
      return { id: String(id), secret: String(secret), url: `/v1/tenant/webhooks/${String(id)}` }
    },
  }
}

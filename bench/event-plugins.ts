// Two plugins that events.ts measures: `teller` tells, `listener` writes down what it hears.
import { makeInstallation } from '../tests/support/installation.ts'

const teller = `
import { definePlugin, entity, t } from '@plinth/sdk'
const cause = entity('Cause', { number: t.int() })
export default definePlugin({
  name: 'teller', title: 'Teller',
  entities: { cause },
  events: { 'cause.told': { number: t.int() } },
  routes: {
    tell: {
      method: 'POST', path: '/tell', input: { count: t.int() },
      async run(ctx, { count }) {
        const told = []
        for (let n = 0; n < count; n += 1) told.push(ctx.emit('cause.told', { number: 0 }))
        await Promise.all(told)
      },
    },
    cause: {
      method: 'POST', path: '/cause', input: { number: t.int() },
      async run(ctx, { number }) {
        await ctx.entities.cause.create({ number })
        await ctx.emit('cause.told', { number })
      },
    },
    write: {
      method: 'POST', path: '/write', input: { number: t.int(), events: t.int() },
      async run(ctx, { number, events }) {
        await ctx.entities.cause.create({ number })
        for (let n = 0; n < events; n += 1) await ctx.emit('cause.told', { number: 0 })
      },
    },
  },
})
`

const listener = `
import { definePlugin, entity, t, use } from '@plinth/sdk'
const effect = entity('Effect', { number: t.int() })
export default definePlugin({
  name: 'listener', title: 'Listener',
  entities: { effect },
  uses: { teller: use('^1') },
  on: { 'teller.cause.told': async (ctx, { number }) => { await ctx.entities.effect.create({ number }) } },
})
`

export const eventPackages = ['@bench/teller', '@bench/listener'] as const

export const eventInstallation = (ending: Parameters<typeof makeInstallation>[0]): Promise<string> =>
  makeInstallation(ending, {
    [eventPackages[0]]: { source: teller },
    [eventPackages[1]]: { source: listener },
  })

// The modules of the hunt beside those of this repository: `prey` with every kind of field and every way into a plugin,
// `larder` and `cellar` that only one of the two tenants has, and that let a member do nothing.
import type { PluginPackage } from '../../support/installation.ts'

const prey = `
import { created, definePlugin, entity, t } from '@plinth/sdk'
const trail = entity('Trail', {
  code: t.text().range(1, 200).unique(),
  number: t.sequence('T-{year}-{0000}'),
  note: t.text().optional(),
  length: t.int().range(0, 1_000_000).optional(),
  weight: t.decimal().optional(),
  price: t.money().optional(),
  wild: t.bool().default(true),
  seen: t.date().optional(),
  kind: t.choice(['deer', 'boar', 'hare']),
  after: t.ref('trail').optional(),
  steps: t.lines({ place: t.text().optional(), to: t.ref('trail').optional() }).optional(),
  stage: t.state({ fresh: ['cold'], cold: ['fresh'] }),
}, { path: 'trails', indexes: [['seen']] })
const den = entity('Den', { name: t.text().range(1, 200), of: t.ref('trail').optional() }, { path: 'dens' })
export default definePlugin({
  name: 'prey', title: 'Prey', entities: { trail, den },
  needs: { sql: 'read', http: ['prey.example'], secrets: { bait: { title: 'Bait', host: 'prey.example' } } },
  settings: { greeting: t.text().default('hello'), most: t.int().range(1, 100).default(10) },
  events: { 'trail.lost': { trail: t.ref('trail') } },
  hooks: { den: { validate: async (ctx, den) => { if (den.of) await ctx.entities.trail.get(den.of) } } },
  actions: { trail: {
    lose: { to: 'cold', input: { why: t.text().range(1, 200) }, async run(ctx, trail, { why }) {
      await ctx.emit('trail.lost', { trail: trail.id })
      return { note: why }
    } },
    find: { to: 'fresh' },
    copy: { input: { code: t.text().range(1, 200) }, run: async (ctx, trail, { code }) =>
      created(await ctx.entities.trail.create({ code, kind: trail.kind, after: trail.id })) },
  } },
  routes: {
    count: { method: 'GET', path: '/count', query: { kind: t.text().optional() },
      run: async (ctx, { kind = 'deer' }) => ({ rows: await ctx.sql\`
        select kind, count(*) as trails, min(code) as first, max(code) as last from trail where kind = \${kind} group by kind\` }) },
    every: { method: 'GET', path: '/every', run: async (ctx) => ({
      rows: await ctx.sql\`select trail.id, trail.code, trail.price_amount from trail order by trail.code limit 50\` }) },
    follow: { method: 'POST', path: '/follow', input: { trail: t.ref('trail') },
      run: async (ctx, { trail }) => ctx.entities.trail.get(trail) },
    tell: { method: 'GET', path: '/tell', run: (ctx) => ({ greeting: ctx.settings.greeting }) },
  },
  roles: { member: { title: 'Member', can: [
    'trail.read', 'trail.create', { permission: 'trail.update', own: true }, 'den.read', 'route.tell', 'route.every' ] } },
})`

const kept = (name: string) => `
import { definePlugin, entity, t } from '@plinth/sdk'
const jar = entity('Jar', { label: t.text().range(1, 200) }, { path: 'jars' })
export default definePlugin({ name: '${name}', title: '${name}', entities: { jar } })`

/** The module that only the first, only the second tenant has. */
export const ownModules = ['larder', 'cellar'] as const

export const huntedPlugins: Readonly<Record<string, PluginPackage>> = {
  '@test/prey': { source: prey },
  ...Object.fromEntries(ownModules.map((name) => [`@test/${name}`, { source: kept(name) }])),
}

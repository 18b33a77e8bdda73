// The parts of webhooks and of the stream of events, put together beside kernel.ts and open-parts.ts.
import type { Config } from './config.ts'
import type { DefencesOff } from './defences.ts'
import { createEventStreams } from './event-stream/event-streams.ts'
import type { Instance } from './http/create-instance.ts'
import { eventStreamRoute } from './http/event-stream-route.ts'
import { webhookDeliveryRoutes } from './http/webhook-delivery-routes.ts'
import type { WebhookRouteParts } from './http/webhook-parts.ts'
import { webhookRoutes } from './http/webhook-routes.ts'
import { languageOf } from './mail/languages.ts'
import type { Closers, Cradle } from './open-parts.ts'
import { createFetcher } from './outside/fetcher.ts'
import { resolveNames } from './outside/resolve-names.ts'
import { createSeal } from './outside/seal.ts'
import { realWorld, type World } from './outside/world.ts'
import { createAbilities } from './permissions/abilities.ts'
import type { Lane } from './queue/task.ts'
import type { PluginRegistry } from './registry/plugin-registry.ts'
import { repeat } from './tenants/repeat.ts'
import { createDeliverWebhook, type DeliverWebhook } from './webhooks/deliver-webhook.ts'
import { purgeAttempts } from './webhooks/deliveries.ts'
import { attemptsOf } from './webhooks/settle-delivery.ts'

const purgeMs = 600_000
/** As many as a process tries at once: they are bounded already. */
const lookupsAtOnce = 64

export interface Hooks {
  routes(app: Instance): void
  /** What a worker does with a task of kind 'webhook'. */
  readonly deliver: DeliverWebhook
  /** How often each is tried. */
  readonly attempts: number
  /** To be closed before the front door: a stream is a request that ends when we end it. */
  closeStreams(): Promise<void>
}

export function openHooks(
  parts: {
    readonly config: Config
    readonly cradle: Cradle
    readonly registry: PluginRegistry
    readonly world: World
    readonly closers: Closers
    readonly tasksAdded: (lanes: readonly Lane[]) => void
  },
  off: DefencesOff,
): Hooks {
  const { config, cradle, registry, world, closers, tasksAdded } = parts
  const { pool, feed, connections, ladder, log, outbox, runControl } = cradle
  const seal = createSeal(cradle.secret, 'webhooks')
  const attempts = attemptsOf(config)
  // One of its own: a name that nobody answers for holds up no fetch of a plugin, and no other tenant's webhook.
  const system = new Set(config.plainHosts.map((host) => host.split(':')[0] ?? host))
  const outside = world === realWorld ? resolveNames(world, { servers: config.dnsServers, system }) : world
  const fetcher = createFetcher({ world: outside, plainHosts: config.plainHosts, log, lookupsAtOnce }, off)
  closers.add('webhooks under way', async () => fetcher.close())
  const purge = repeat(
    'log of webhooks',
    () => runControl((tx) => purgeAttempts(tx, config.webhookLogDays)),
    log,
    purgeMs,
  )
  closers.add('log of webhooks', () => purge.close())
  const streams = createEventStreams(
    { pool, feed, connections, registry, abilityOf: createAbilities(off), log },
    off,
  )
  const routeParts: WebhookRouteParts = {
    runControl,
    seal,
    plainHosts: new Set(config.plainHosts),
    attempts,
    eventsOf(module) {
      const manifest = registry.served(module)?.stable?.manifest
      return manifest && Object.keys(manifest.events)
    },
    wake: (tenant, lane) => tasksAdded([{ queue: 'webhooks', tenant, lane }]),
  }
  return {
    routes(app) {
      webhookRoutes(app, ladder, routeParts)
      webhookDeliveryRoutes(app, ladder, routeParts)
      eventStreamRoute(app, ladder, streams)
    },
    deliver: createDeliverWebhook({ runControl, fetcher, seal, policy: config, outbox, languageOf }),
    attempts,
    closeStreams: () => streams.close(),
  }
}

// The steps that change who is served which version. Each is one change of kernel.plugin, acted on by every process
// before the step is done: new requests enter the new version, those inside finish on the one they entered.
import { setTimeout as sleep } from 'node:timers/promises'
import { compatibilityOf } from '../data/plugin-migrations/compatibility.ts'
import { errors } from '../errors.ts'
import { type PluginRow, readCode, readPlugin, readVersions } from '../registry/plugin-store.ts'
import { wantedVersions } from '../registry/served-module.ts'
import { canaryVerdict } from './canary.ts'
import type { Step } from './drive-operations.ts'
import { change, installed, type LifecycleParts } from './lifecycle-parts.ts'
import { type Operation, readOperation, remember } from './operation.ts'
import { begunMigrations, hasLeft, ranMigrations, triesAfterLeaving } from './table-steps.ts'
import { unmetByKnown } from './unmet-needs.ts'

const canaryLookMs = 500

const moduleOf = ({ module }: Operation): string => module ?? ''
const versionOf = ({ version }: Operation): string => version ?? ''

export function canaryStep(parts: LifecycleParts): Step {
  const end = (module: string) =>
    change(parts, module, async (client) => {
      await client.query(
        `UPDATE kernel.plugin SET candidate = NULL, canary_percent = NULL, canary_tenants = NULL WHERE module = $1`,
        [module],
      )
    })
  return {
    name: 'canary',
    async run(operation, signal) {
      const { canary } = operation.options
      if (!canary) return undefined
      const module = moduleOf(operation)
      const version = versionOf(operation)
      const { state } = await installed(parts, module)
      if (state !== 'active')
        throw errors.pluginChange({ module, reason: `'${module}' is ${state}: there is nobody to try it.` })
      await change(parts, module, async (client) => {
        await client.query(
          `UPDATE kernel.plugin SET candidate = $2, canary_percent = $3,
                  canary_tenants = (SELECT array_agg(id) FROM kernel.tenant WHERE slug = ANY($4) OR id::text = ANY($4))
            WHERE module = $1`,
          [module, version, canary.percent ?? 0, canary.tenants ?? []],
        )
        // What stands there already wins: a process that takes over does not begin anew.
        await remember(client, operation, { canaryStarted: Date.now() })
      })
      await refuseUnserved(parts, module, version)
      const { data } = (await readOperation(parts.pool, operation.id)) ?? operation
      const until = Number(data['canaryStarted'] ?? Date.now()) + canary.minutes * 60_000
      for (;;) {
        const verdict = await canaryVerdict(parts.pool, operation.id, canary)
        const { requests, failures } = verdict
        if (verdict.failed) {
          throw errors.canaryFailed({ module, version, requests, failures, errorRate: verdict.errorRate })
        }
        if (Date.now() >= until) {
          if (verdict.wouldFail || requests === 0)
            throw errors.canaryFailed({ module, version, requests, failures, errorRate: verdict.errorRate })
          return { canary: { requests, failures } }
        }
        await sleep(canaryLookMs, undefined, { signal })
        if ((await readOperation(parts.pool, operation.id))?.state !== 'running')
          throw errors.pluginChange({ module, reason: 'The canary was cancelled.' })
      }
    },
    undo: async (operation) => {
      if (operation.options.canary) await end(moduleOf(operation))
    },
  }
}

/** What the operation's step found when it first ran: a second run sees its own work. */
interface Before {
  readonly stable: string | null
  readonly beta: string | null
  readonly previous: string | null
}

export function activateStep(parts: LifecycleParts): Step {
  return {
    name: 'activate',
    async run(operation) {
      const module = moduleOf(operation)
      const version = versionOf(operation)
      const isBeta = operation.options.channel === 'beta'
      await change(parts, module, async (client) => {
        const { rows } = await client.query<Before>(
          'SELECT stable, beta, previous FROM kernel.plugin WHERE module = $1 FOR UPDATE',
          [module],
        )
        await remember(client, operation, { before: rows[0] })
        await client.query(
          isBeta
            ? `UPDATE kernel.plugin SET beta = $2 WHERE module = $1`
            : `UPDATE kernel.plugin SET previous = CASE WHEN stable = $2 THEN previous ELSE stable END, stable = $2,
                      candidate = NULL, canary_percent = NULL, canary_tenants = NULL,
                      beta = CASE WHEN beta = $2 THEN NULL ELSE beta END,
                      state = CASE WHEN state = 'disabled' THEN state ELSE 'active' END
                WHERE module = $1`,
          [module, version],
        )
      })
      await refuseUnserved(parts, module, version)
      return isBeta ? { beta: version } : { stable: version }
    },
    tries: triesAfterLeaving(parts),
    async undo(operation) {
      const before = operation.data['before'] as Before | undefined
      if (!before) return
      if (await hasLeft(parts, operation)) {
        await change(parts, moduleOf(operation), async (client) => {
          await client.query(`UPDATE kernel.plugin SET state = 'disabled' WHERE module = $1`, [
            operation.module,
          ])
        })
        return
      }
      await change(parts, moduleOf(operation), async (client) => {
        await client.query(
          `UPDATE kernel.plugin SET stable = $2, beta = $3, previous = $4,
                  state = CASE WHEN $2::text IS NULL THEN 'installing' ELSE state END WHERE module = $1`,
          [operation.module, before.stable, before.beta, before.previous],
        )
      })
    },
  }
}

/** Other processes say so in their logs; this one can tell whoever asked. */
async function refuseUnserved(parts: LifecycleParts, module: string, version: string): Promise<void> {
  if (parts.registry.served(module)?.versions.has(version)) return
  // Nobody is served it before the module is enabled again.
  if ((await readPlugin(parts.pool, module))?.state === 'disabled') return
  throw errors.pluginChange({
    module,
    reason: `Version ${version} of '${module}' could not be loaded; the kernel's log says why.`,
  })
}

/** Goes back to the version before, if that can work on the tables as they are now. */
export function checkRollbackStep(parts: LifecycleParts): Step {
  return {
    name: 'check',
    async run(operation) {
      const module = moduleOf(operation)
      const row = await installed(parts, module)
      const to = operation.version ?? row.previous
      if (to === null)
        throw errors.pluginChange({
          module,
          reason: `'${module}' has no version before ${row.stable} to go back to.`,
        })
      const reason = await rollbackRefusal(parts, module, to)
      if (reason !== undefined) throw errors.pluginChange({ module, reason })
      const needs = await unmetByKnown(parts, module, to)
      if (needs.length > 0) throw errors.moduleNeeds({ module, needs })
      await parts.pool.query('UPDATE kernel.plugin_operation SET version = $2 WHERE id = $1', [
        operation.id,
        to,
      ])
      return { version: to }
    },
  }
}

export async function rollbackRefusal(
  parts: Pick<LifecycleParts, 'pool'>,
  module: string,
  to: string,
): Promise<string | undefined> {
  const versions = await readVersions(parts.pool, module)
  if (!versions.some((one) => one.version === to))
    return `'${module}' has no version ${to} in this installation.`
  const target = await readCode(parts.pool, module, to)
  const known = new Set(target.migrations.map((migration) => migration.name))
  const ran = await ranMigrations(parts, module)
  const missing = [...known].filter((name) => !ran.has(name))
  if (missing.length > 0)
    return `Version ${to} needs migrations that have not run (${missing.join(', ')}): upgrade to it.`
  const begun = await begunMigrations(parts, module)
  const codes = await Promise.all(versions.map((one) => readCode(parts.pool, module, one.version)))
  const since = new Map(
    codes
      .flatMap((code) => code.migrations)
      .flatMap((one) =>
        (ran.has(one.name) || begun.has(one.name)) && !known.has(one.name) ? [[one.name, one]] : [],
      ),
  )
  const half = [...begun].join(', ')
  if ([...begun].some((name) => !since.has(name)))
    return `The migration ${half} was begun and not finished, by a version that is not in this installation: upgrade to it.`
  const { compatibility, reasons } = compatibilityOf([...since.values()])
  if (compatibility === 'compatible') return undefined
  const unfinished = half === '' ? '' : ` The migration ${half} was begun and not finished: upgrade again.`
  return `Version ${to} cannot work on the tables as they are now. ${reasons.join(' ')}${unfinished}`
}

/** Why what is to be served once the module is enabled could not be, or undefined. */
export async function enableRefusal(
  parts: Pick<LifecycleParts, 'pool' | 'registry'>,
  row: PluginRow,
): Promise<string | undefined> {
  for (const version of wantedVersions(row)) {
    const reason = await rollbackRefusal(parts, row.module, version)
    if (reason !== undefined) return reason
  }
  const needs = row.stable === null ? [] : await unmetByKnown(parts, row.module, row.stable)
  return needs.length > 0 ? needs.join(' ') : undefined
}

export function switchStep(parts: LifecycleParts, to: 'active' | 'disabled'): Step {
  const set = (module: string, from: string, state: string) =>
    change(parts, module, async (client) => {
      await client.query('UPDATE kernel.plugin SET state = $3 WHERE module = $1 AND state = $2', [
        module,
        from,
        state,
      ])
    })
  const from = to === 'active' ? 'disabled' : 'active'
  return {
    name: 'switch',
    async run(operation) {
      const module = moduleOf(operation)
      const row = await installed(parts, module)
      if (row.state === to) return undefined
      if (row.state !== from)
        throw errors.pluginChange({ module, reason: `'${module}' is ${row.state} at the moment.` })
      const reason = to === 'active' ? await enableRefusal(parts, row) : undefined
      if (reason !== undefined) throw errors.pluginChange({ module, reason })
      await set(module, from, to)
      if (to === 'active' && row.stable !== null) await refuseUnserved(parts, module, row.stable)
      return undefined
    },
    undo: (operation) => set(moduleOf(operation), to, from),
  }
}

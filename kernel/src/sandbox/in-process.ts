// Which plugins run where: those the operator trusts by name in the kernel's process, all others in a host of their own.
import type { Logger } from 'pino'
import { buildScripts } from './build-scripts.ts'
import { InProcessHost } from './in-process-host.ts'
import { defaultLimits } from './limits.ts'
import type { PluginHost } from './plugin-host.ts'
import { positionsOf } from './source-positions.ts'
import { StrayRejections } from './stray-rejections.ts'
import type { HostOptions } from './supervisor.ts'

export interface TrustingStarter {
  readonly startHost: (options: HostOptions) => Promise<PluginHost>
  /** After the hosts are closed. */
  close(): void
}

/** Starts the trusted packages in process and hands the others on to `sandboxed`. Each is named in a warning. */
export async function trustByName(
  sandboxed: TrustingStarter['startHost'],
  trusted: readonly string[],
  log: Logger,
): Promise<TrustingStarter> {
  if (trusted.length === 0) return { startHost: sandboxed, close: () => undefined }
  for (const name of trusted) {
    log.warn(
      { package: name },
      `PLINTH_TRUSTED_PLUGINS: the plugin '${name}' runs in the kernel's process, without walls and with its full rights`,
    )
  }
  const { guest } = await buildScripts()
  const stray = new StrayRejections()
  const names = new Set(trusted)
  return {
    startHost: async (options) => {
      if (!names.has(options.name)) return sandboxed(options)
      const { bundle, log: pluginLog, limits = defaultLimits } = options
      const positions = positionsOf(options)
      return new InProcessHost({ guest, bundle, limits, stray, positions, log: pluginLog })
    },
    close: stray.listen(),
  }
}

// The two scripts every isolate of this host runs, with the code cache of their first compilation. The cache never
// leaves this process: V8 does not verify it, so a foreign one is an exploit (CVE-2022-39266).
import type IsolatedVm from 'isolated-vm'
import type { GuestLimits } from '../protocol/limits.ts'

export interface PluginCode {
  readonly limits: GuestLimits
  compileGuest(isolate: IsolatedVm.Isolate): Promise<IsolatedVm.Script>
  compileBundle(isolate: IsolatedVm.Isolate): Promise<IsolatedVm.Script>
}

function compiler(code: string, filename: string) {
  let cache: IsolatedVm.ExternalCopy<ArrayBuffer> | undefined
  return async (isolate: IsolatedVm.Isolate) => {
    if (cache) return isolate.compileScript(code, { filename, cachedData: cache })
    const script: IsolatedVm.Script & IsolatedVm.CachedDataResult = await isolate.compileScript(code, {
      filename,
      produceCachedData: true,
    })
    cache = script.cachedData
    return script
  }
}

export function pluginCode(guest: string, bundle: string, limits: GuestLimits): PluginCode {
  return {
    limits,
    compileGuest: compiler(guest, 'plinth:guest'),
    compileBundle: compiler(bundle, 'plinth:plugin'),
  }
}

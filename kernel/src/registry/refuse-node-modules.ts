// Says at packing time what would fail in the sandbox: an import of one of Node's modules, with who imports it and what
// to use instead. A package that only tries one with `require` gets a module that throws when it is reached.
import { builtinModules } from 'node:module'
import { relative } from 'node:path'
import type { Plugin } from 'esbuild'

const instead: Readonly<Record<string, string>> = {
  assert: 'throw an Error, or refuse with fail() of @plinth/sdk',
  buffer: 'use Uint8Array, TextEncoder, TextDecoder, atob and btoa',
  crypto: 'use hash() and hmac() of @plinth/sdk, and crypto.randomUUID() without an import',
  events: 'use EventTarget, which is global',
  fs: 'a plugin has no file system; keep data in entities',
  http: "a plugin opens no connections; outside hosts are asked for with needs: { http: ['host'] }",
  perf_hooks: 'use performance.now(), which is global',
  process: 'a plugin has no process; take configuration from ctx.settings',
  timers: 'use setTimeout, which is global',
  url: 'use URL and URLSearchParams, which are global',
  util: 'use structuredClone, TextEncoder and the language itself',
}
const like: Readonly<Record<string, string>> = {
  https: 'http',
  http2: 'http',
  net: 'http',
  tls: 'http',
  dns: 'http',
  dgram: 'http',
}

export function refusalOf(module: string, importer: string): string {
  const name = module.replace(/^node:/, '').split('/')[0] ?? ''
  const advice =
    instead[like[name] ?? name] ?? 'plugins run without Node; find a package that needs none of it'
  return `'${module}' is a module of Node, imported by ${importer}, and not there in the sandbox: ${advice}.`
}

/** `folder` is the package's own: files are named from there. */
export function refuseNodeModules(folder: string): Plugin {
  const names = new Set(builtinModules)
  return {
    name: 'refuse-node-modules',
    setup(build) {
      build.onResolve({ filter: /^[a-z@_]/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
        const name = path.replace(/^node:/, '')
        if (pluginData === 'asked' || !(path.startsWith('node:') || names.has(name))) return undefined
        // A package of that name may be installed for browsers: `events`, `buffer`, `util`.
        const found = path.startsWith('node:')
          ? undefined
          : await build.resolve(path, { importer, kind, resolveDir, pluginData: 'asked' })
        if (found && found.errors.length === 0) return found
        const text = refusalOf(path, relative(folder, importer))
        const isTried = kind === 'require-call' && importer.includes('/node_modules/')
        return isTried ? { path, namespace: 'absent', pluginData: text } : { errors: [{ text }] }
      })
      build.onLoad({ filter: /.*/, namespace: 'absent' }, ({ pluginData }) => ({
        contents: `throw new Error(${JSON.stringify(pluginData)})`,
      }))
    },
  }
}

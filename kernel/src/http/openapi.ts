// /openapi.json: the kernel's own API and that of the modules one tenant has enabled, in one document.
import { type Instance, securitySchemes } from './create-instance.ts'

export interface ApiDocument {
  readonly paths: Readonly<Record<string, unknown>>
  readonly [part: string]: unknown
}

/** What the routes of one instance say of themselves. */
export function documentOf(instance: Instance): ApiDocument {
  const document = instance.swagger()
  return { ...document, paths: document.paths ?? {} }
}

export function mergeDocuments(
  kernel: ApiDocument,
  modules: readonly ApiDocument[],
  version: string,
): ApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Plinth',
      version,
      description: 'What this tenant has enabled. Errors are RFC 9457 problem documents with a stable code.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    components: { securitySchemes },
    paths: Object.assign({}, kernel.paths, ...modules.map((module) => module.paths)),
  }
}

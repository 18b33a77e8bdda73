// The routes of an OpenAPI document, each with what a request to it is made of.

export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly description?: string
  readonly default?: unknown
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
}

export interface Parameter {
  readonly name: string
  readonly isRequired: boolean
  readonly schema: Schema
}

export interface Route {
  /** `PATCH /v1/finance/accounts/{id}`. */
  readonly key: string
  readonly method: string
  readonly path: string
  /** Of the module that serves it, when one does. */
  readonly module: string | undefined
  readonly query: readonly Parameter[]
  readonly body: Schema | undefined
}

interface Operation {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema?: Schema
  }[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

export function routesOf(document: unknown, modules: ReadonlySet<string>): Route[] {
  const { paths } = document as { paths: Paths }
  return Object.entries(paths).flatMap(([path, operations]) => {
    const [area = ''] = path.split('/').slice(2)
    return Object.entries(operations).map(
      ([method, { parameters = [], requestBody }]): Route => ({
        key: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        module: modules.has(area) ? area : undefined,
        query: parameters.flatMap((one) =>
          one.in === 'query'
            ? [{ name: one.name, isRequired: one.required === true, schema: one.schema ?? {} }]
            : [],
        ),
        body: requestBody?.content?.['application/json']?.schema,
      }),
    )
  })
}

/** The parameters in a path, each with the path of the collection before it: that is where its values come from. */
export function placesIn(path: string): readonly { readonly name: string; readonly collection: string }[] {
  return [...path.matchAll(/\/\{([^}]+)\}/g)].map(({ 1: name = '', index }) => ({
    name,
    collection: path.slice(0, index),
  }))
}

/** The path without the names of its parameters. */
export const shapeOf = (path: string): string => path.replace(/\{[^}]+\}/g, '{}')

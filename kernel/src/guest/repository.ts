// ctx.entities: one repository per entity the plugin declares, each method one call of the kernel.
import type { Invocation } from './invocation.ts'
import { create, defineProperty, keys, NativeTypeError } from './primordials.ts'

const batch = 200

interface Page {
  readonly items: readonly unknown[]
  readonly cursor?: string
}

/** JSON drops what is undefined, and a filter that is dropped would list everything. */
function refuseUndefined(where: object): void {
  for (const name of keys(where)) {
    if (where[name as keyof typeof where] === undefined) {
      throw new NativeTypeError(`The filter '${name}' is undefined. Leave it out, or give a value.`)
    }
  }
}

class Repository {
  readonly #invocation: Invocation
  readonly #entity: string

  constructor(invocation: Invocation, entity: string) {
    this.#invocation = invocation
    this.#entity = entity
  }

  get(id: string): Promise<unknown> {
    return this.#invocation.call('entities.get', { entity: this.#entity, id })
  }

  lock(id: string): Promise<unknown> {
    return this.#invocation.call('entities.lock', { entity: this.#entity, id })
  }

  list(where: object = {}, options: object = {}): Promise<unknown> {
    refuseUndefined(where)
    return this.#invocation.call('entities.list', { ...options, entity: this.#entity, where })
  }

  async *each(
    where: object = {},
    options: { readonly sort?: string } = {},
  ): AsyncGenerator<unknown, void, undefined> {
    let cursor: string | undefined
    do {
      const sort = options.sort === undefined ? {} : { sort: options.sort }
      const at = cursor === undefined ? {} : { cursor }
      const page = (await this.list(where, { ...sort, ...at, limit: batch })) as Page
      yield* page.items
      cursor = page.cursor
    } while (cursor !== undefined)
  }

  create(values: unknown): Promise<unknown> {
    return this.#invocation.call('entities.create', { entity: this.#entity, values })
  }

  update(id: string, changes: unknown): Promise<unknown> {
    return this.#invocation.call('entities.update', { entity: this.#entity, id, changes })
  }

  async delete(id: string): Promise<void> {
    await this.#invocation.call('entities.delete', { entity: this.#entity, id })
  }
}

/** Gives the `entities` of an invocation. A repository is made when the handler first names it. */
export function repositories(entities: readonly string[]): (invocation: Invocation) => object {
  return (invocation) => {
    const found: object = create(null)
    for (const entity of entities) {
      let repository: Repository | undefined
      const get = () => {
        repository ??= new Repository(invocation, entity)
        return repository
      }
      defineProperty(found, entity, { get, enumerable: true })
    }
    return found
  }
}

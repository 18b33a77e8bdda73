// Which methods a path answers to: tells "not with this method" from "there is nothing here".

interface Route {
  readonly method: string | readonly string[]
  readonly url: string
}

export interface KnownPaths {
  add(route: Route): void
  /** Sorted; empty for a path that no route has. */
  methodsOf(path: string): readonly string[]
}

export function createKnownPaths(): KnownPaths {
  const known: { readonly methods: readonly string[]; readonly segments: readonly string[] }[] = []

  const matches = (pattern: readonly string[], path: readonly string[]): boolean =>
    pattern.length === path.length && pattern.every((part, at) => part.startsWith(':') || part === path[at])

  return {
    add({ method, url }) {
      known.push({ methods: typeof method === 'string' ? [method] : method, segments: url.split('/') })
    },
    methodsOf(path) {
      const parts = path.split('/')
      const found = known.filter(({ segments }) => matches(segments, parts))
      return [...new Set(found.flatMap(({ methods }) => methods))].sort()
    },
  }
}

// What a case of the conformance suite is: a handler's text, what is asked of it, and what every runtime must answer.

export type Who = 'owner' | 'member' | 'neighbour'

export interface Reply {
  readonly status: number
  /** The body as it was sent, and parsed. */
  readonly text: string
  readonly body: unknown
}

export interface Step {
  /** POST unless said. */
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Below /v1; the case's own handler when there is none. May look at what was answered before. */
  readonly path?: string | ((before: readonly Reply[]) => string)
  readonly body?: unknown
  /** `neighbour` is the owner of another tenant. */
  readonly as?: Who
  readonly status: number
  /** What must be in the body, in the sense of tap's `match`. */
  readonly has?: unknown
}

export interface Case {
  readonly name: string
  /**
   * A function (ctx, { text, n }) of the module `subject`, which becomes a route of its own. Beside it are what the
   * module imports from the SDK and its variables: see subject.ts.
   */
  readonly run?: string
  /** One after another; those in a list at once. */
  readonly steps: readonly (Step | readonly Step[])[]
  /** Why the runtimes may differ in more than status and code here. */
  readonly differs?: string
  /** Why the other runtime is not asked. */
  readonly only?: { readonly runtime: string; readonly why: string }
}

type More = Pick<Case, 'differs' | 'only'> & { readonly input?: object; readonly as?: Who }

const once = (name: string, run: string, step: Step, { input, as, ...rest }: More): Case => ({
  name,
  run,
  steps: [{ ...step, ...(input ? { body: input } : {}), ...(as ? { as } : {}) }],
  ...rest,
})

/** The handler answers `{ answer }`, whatever it is when that is not said. */
export const answers = (name: string, run: string, answer: unknown, more: More = {}): Case =>
  once(name, run, { status: 200, ...(answer === undefined ? {} : { has: { answer } }) }, more)

/** The handler ends in an error with this code. */
export const refuses = (name: string, run: string, status: number, code: string, more: More = {}): Case =>
  once(name, run, { status, has: { code } }, more)

/** The handler goes over the limit of this name, which no plugin can catch. */
export const exceeds = (name: string, run: string, limit: string): Case =>
  once(name, run, { status: 502, has: { code: 'LIMIT_EXCEEDED', limit } }, {})

/** The first reply's id in a path: `at(0, (id) => ...)`. */
export const at =
  (index: number, path: (id: string) => string) =>
  (before: readonly Reply[]): string => {
    const body = before[index]?.body
    const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined
    return path(String(id))
  }

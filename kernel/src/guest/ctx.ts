// Builds the `ctx` of a handler: data from the invocation's context, and powers that are calls to the kernel. What the
// plugin did not ask for is not there.
import type { Declaration } from '@plinth/sdk'
import type { LogLevel } from '../protocol/calls.ts'
import type { InvocationContext } from '../protocol/envelope.ts'
import type { Invocation } from './invocation.ts'
import { fetchOutside, secretsOf } from './outside.ts'
import { create, keys } from './primordials.ts'
import { repositories } from './repository.ts'

/** `*`, `account.*` and `account.read` allow `account.read`. */
function allows(granted: readonly string[] | '*', permission: string): boolean {
  if (granted === '*') return true
  const dot = permission.indexOf('.')
  const all = dot > 0 ? `${permission.slice(0, dot)}.*` : '*'
  return granted.some((one) => one === '*' || one === all || one === permission)
}

/** Service names are types only, so any name is a call; `then` is none, or awaiting the module would call it. */
function servicesOf(invocation: Invocation, module: string): object {
  return new Proxy(create(null), {
    get: (_, service) =>
      typeof service !== 'string' || service === 'then' || service === 'toJSON'
        ? undefined
        : (input: unknown) => invocation.call('services.call', { module, service, input: input ?? {} }),
  })
}

/** `${value}`s become parameters: text of the plugin's author and values of its users never mix. */
async function sql(
  invocation: Invocation,
  call: 'sql.read' | 'sql.write',
  parts: readonly string[],
  values: readonly unknown[],
): Promise<unknown> {
  const text = parts.map((part, index) => (index === 0 ? part : `$${index}${part}`)).join('')
  const { rows } = (await invocation.call(call, { text, values })) as { rows: unknown }
  return rows
}

const jobOf = (
  invocation: Invocation,
  { id, attempt }: { readonly id: string; readonly attempt: number },
) => ({
  id,
  attempt,
  progress: async (fraction: number, note?: string) => {
    await invocation.call('jobs.progress', { fraction, ...(note === undefined ? {} : { note }) })
  },
})

export function contextBuilder(
  spec: Declaration,
): (invocation: Invocation, context: InvocationContext) => object {
  const entitiesOf = repositories(keys(spec.entities ?? {}))
  const sqlNeed = spec.needs?.sql
  const mayFetch = spec.needs?.http !== undefined
  const secrets = spec.needs?.secrets === undefined ? undefined : secretsOf(keys(spec.needs.secrets))
  const mayAskApproval = spec.needs?.approvals === true
  return (invocation, context) => {
    const write = (level: LogLevel) => (message: string, data?: object) =>
      invocation.log(level, message, data)
    const { permissions } = context.user
    const uses: Record<string, object> = create(null)
    for (const module of context.uses) uses[module] = servicesOf(invocation, module)
    return {
      tenant: context.tenant,
      user: { id: context.user.id, can: (permission: string) => allows(permissions, permission) },
      today: context.today,
      settings: context.settings,
      entities: entitiesOf(invocation),
      uses,
      emit: async (event: string, payload: unknown) => {
        await invocation.call('events.emit', { event, payload: payload ?? {} })
      },
      enqueue: (job: string, input: unknown, options: unknown) =>
        invocation.call('jobs.enqueue', { job, input: input ?? {}, options: options ?? {} }),
      log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
      ...(context.job ? { job: jobOf(invocation, context.job) } : {}),
      ...(sqlNeed === undefined
        ? {}
        : {
            sql: (parts: readonly string[], ...values: unknown[]) =>
              sql(invocation, sqlNeed === 'write' ? 'sql.write' : 'sql.read', parts, values),
          }),
      ...(mayFetch
        ? { http: { fetch: (url: string, request?: object) => fetchOutside(invocation, url, request) } }
        : {}),
      ...(secrets ? { secrets } : {}),
      ...(mayAskApproval
        ? {
            approvals: { request: (request: unknown) => invocation.call('approvals.request', request ?? {}) },
          }
        : {}),
    }
  }
}

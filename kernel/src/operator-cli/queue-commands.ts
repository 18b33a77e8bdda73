// `plinth queue`: what there is to do, what was given up, and what is held back.
import Type, { type Static } from 'typebox'
import { listAnswer, type OperatorClient } from './operator-client.ts'

export const queueUsage = `plinth queue list                        what there is to do, by queue
plinth queue tenants [--queue q]         whose it is
plinth queue dead [--tenant t] [--module m] [--code c]   what was given up
plinth queue retry <tenant> <task> | --module m [--tenant t] [--code c]
plinth queue discard <tenant> <task> | --module m [--tenant t] [--code c]
plinth queue pauses                      what is held back
plinth queue pause [--tenant t] [--module m] [--reason text]
plinth queue resume <pause>
`

export const queueOptions = { queue: { type: 'string' }, code: { type: 'string' } } as const

interface QueueFlags {
  readonly tenant?: string | undefined
  readonly module?: string[] | undefined
  readonly queue?: string | undefined
  readonly code?: string | undefined
  readonly reason?: string | undefined
  readonly yes?: boolean
}

export interface QueueCall {
  readonly client: OperatorClient
  readonly terminal: { print(text: string): void; confirm(question: string): Promise<boolean> }
  readonly flags: QueueFlags
  /** Behind `queue`: the command, then what it is about. */
  readonly names: readonly string[]
}

const text = Type.String()
const number = Type.Number()
const figures = {
  queue: text,
  waiting: number,
  due: number,
  running: number,
  dead: number,
  oldestSeconds: number,
}
const queuesAnswer = Type.Object({
  items: Type.Array(Type.Object(figures)),
  outbox: Type.Object({ waiting: number, oldestSeconds: number }),
})
const tenantAnswer = Type.Object({ slug: text, ...figures })
const taskAnswer = Type.Object({
  tenant: text,
  id: text,
  queue: text,
  name: text,
  state: text,
  attempt: number,
  error: Type.Optional(Type.Object({ code: text, message: text })),
})
const tasksAnswer = Type.Object({ ...listAnswer(taskAnswer).properties, cursor: Type.Optional(text) })
const settledAnswer = Type.Object({ tasks: number })
const pauseAnswer = Type.Object({
  id: text,
  tenant: Type.Optional(text),
  module: Type.Optional(text),
  reason: Type.Optional(text),
  pausedAt: text,
})

const figuresShape = Type.Object(figures)
const figuresText = ({ queue, due, waiting, running, dead, oldestSeconds }: Static<typeof figuresShape>) =>
  `${queue}: ${due} due${due > 0 ? ` (the oldest for ${oldestSeconds} s)` : ''}, ${waiting - due} for later, ${running} running, ${dead} given up`

const taskText = ({ tenant, id, name, state, attempt, error }: Static<typeof taskAnswer>): string =>
  `${tenant} ${id}  ${name}: ${state} after ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}${error ? `, ${error.code}: ${error.message}` : ''}`

const pauseText = ({ id, tenant, module, reason, pausedAt }: Static<typeof pauseAnswer>): string =>
  `${id}  ${module ?? 'every module'} of ${tenant ?? 'every tenant'} since ${pausedAt}${reason === undefined ? '' : `: ${reason}`}`

type Command = (call: QueueCall, first: string, second: string) => Promise<boolean>

const commands: Readonly<Record<string, { readonly names: readonly number[]; readonly run: Command }>> = {
  list: { names: [0], run: list },
  tenants: { names: [0], run: tenants },
  dead: { names: [0], run: dead },
  retry: { names: [0, 2], run: settle('retry') },
  discard: { names: [0, 2], run: settle('discard') },
  pauses: { names: [0], run: pauses },
  pause: { names: [0], run: pause },
  resume: { names: [1], run: resume },
}

/** Undefined when there is no such command; else whether it went as it was asked for. */
export function runQueueCommand(call: QueueCall): Promise<boolean> | undefined {
  const [name = '', first = '', second = ''] = call.names
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  return command?.names.includes(call.names.length - 1) ? command.run(call, first, second) : undefined
}

/** What the flags say of which tasks are meant. */
const meant = ({ tenant, module, queue, code }: QueueFlags): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ tenant, module: module?.[0], queue, code }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  )

async function list({ client, terminal }: QueueCall): Promise<boolean> {
  const { items, outbox } = await client.ask(queuesAnswer, 'GET', '/v1/operator/queues')
  if (outbox.waiting > 0)
    terminal.print(`${outbox.waiting} events wait to be handed on, the oldest for ${outbox.oldestSeconds} s.`)
  terminal.print(items.length === 0 ? 'There is nothing to do.' : items.map(figuresText).join('\n'))
  return true
}

async function tenants({ client, terminal, flags }: QueueCall): Promise<boolean> {
  const query = new URLSearchParams(flags.queue === undefined ? {} : { queue: flags.queue })
  const { items } = await client.ask(listAnswer(tenantAnswer), 'GET', `/v1/operator/queues/tenants?${query}`)
  const lines = items.map((one) => `${one.slug}  ${figuresText(one)}`)
  terminal.print(lines.length === 0 ? 'There is nothing to do.' : lines.join('\n'))
  return true
}

async function dead({ client, terminal, flags }: QueueCall): Promise<boolean> {
  const query = new URLSearchParams({ ...meant(flags), state: 'dead', limit: '200' })
  for (let isEmpty = true; ; isEmpty = false) {
    const { items, cursor } = await client.ask(tasksAnswer, 'GET', `/v1/operator/tasks?${query}`)
    for (const task of items) terminal.print(taskText(task))
    if (isEmpty && items.length === 0) terminal.print('Nothing was given up.')
    if (cursor === undefined) return true
    query.set('cursor', cursor)
  }
}

/** One by its name, or all that the flags mean, and then only after a yes. */
function settle(what: 'retry' | 'discard'): Command {
  return async ({ client, terminal, flags }, tenant, id) => {
    if (tenant !== '') {
      const path = `/v1/operator/tasks/${encodeURIComponent(tenant)}/${encodeURIComponent(id)}/${what}`
      terminal.print(taskText(await client.ask(taskAnswer, 'POST', path, {})))
      return true
    }
    if (!flags.yes && !(await terminal.confirm(`All that were given up and are meant: ${what} them?`))) {
      terminal.print('Nothing was changed.')
      return false
    }
    const { tasks } = await client.ask(settledAnswer, 'POST', `/v1/operator/tasks/${what}`, meant(flags))
    terminal.print(`${tasks} tasks: ${what === 'retry' ? 'they are done once more' : 'discarded'}.`)
    return true
  }
}

async function pauses({ client, terminal }: QueueCall): Promise<boolean> {
  const { items } = await client.ask(listAnswer(pauseAnswer), 'GET', '/v1/operator/pauses')
  terminal.print(items.length === 0 ? 'Nothing is held back.' : items.map(pauseText).join('\n'))
  return true
}

async function pause({ client, terminal, flags }: QueueCall): Promise<boolean> {
  const { tenant, module, reason } = flags
  const body = { tenant, module: module?.[0], reason }
  terminal.print(pauseText(await client.ask(pauseAnswer, 'POST', '/v1/operator/pauses', body)))
  return true
}

async function resume({ client, terminal }: QueueCall, id: string): Promise<boolean> {
  await client.ask(Type.Unknown(), 'DELETE', `/v1/operator/pauses/${encodeURIComponent(id)}`)
  terminal.print('It goes on.')
  return true
}

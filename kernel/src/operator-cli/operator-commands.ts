// The commands of an operator: each shows its plan, asks, and follows the operation to its end.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { printAnchors, verifyTrail } from './audit-command.ts'
import {
  choiceAnswer,
  listAnswer,
  type OperationAnswer,
  type OperatorClient,
  operationAnswer,
  operatorClient,
  planAnswer,
  pluginAnswer,
} from './operator-client.ts'
import { operationText, planText, pluginText } from './operator-texts.ts'
import { queueOptions, queueUsage, runQueueCommand } from './queue-commands.ts'
import { runTenantCommand, tenantOptions, tenantUsage } from './tenant-commands.ts'

export const operatorUsage = `plinth install <package>[@version] [--integrity sha512-...]
plinth list
plinth upgrade <module>[@version] [--beta] [--canary 10% | --canary-tenants a,b] [--minutes 30]
plinth rollback <module>[@version]
plinth disable <module>
plinth enable <module>
plinth remove <module> [--force]         with all its data; --force also when tenants have it enabled
plinth pin <tenant> <module> <version|stable|beta>
plinth operations [id]
plinth cancel <operation>                takes back a canary that goes on
${tenantUsage}${queueUsage}plinth audit verify [--tenant slug] [--anchor seq:hash]   is the trail as it was sealed
plinth audit anchors                     the ends of all chains, to be kept elsewhere
  --dry-run                              shows the plan and changes nothing
  --yes                                  does not ask
  --url http://127.0.0.1:3000            of the kernel
`

export interface Terminal {
  print(text: string): void
  /** False when nobody is there to answer. */
  confirm(question: string): Promise<boolean>
}

/** The command was not understood: another exit code than a refusal. */
export class UsageError extends Error {}

const options = {
  ...tenantOptions,
  ...queueOptions,
  url: { type: 'string', default: 'http://127.0.0.1:3000' },
  'dry-run': { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
  beta: { type: 'boolean', default: false },
  integrity: { type: 'string' },
  canary: { type: 'string' },
  'canary-tenants': { type: 'string' },
  minutes: { type: 'string', default: '30' },
  tenant: { type: 'string' },
  anchor: { type: 'string' },
} as const

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

type Flags = ReturnType<typeof parse>['values']
interface Call {
  readonly client: OperatorClient
  readonly terminal: Terminal
  readonly flags: Flags
  readonly names: readonly string[]
}
/** Whether it went as it was asked for. */
type Command = (call: Call) => Promise<boolean>

const commands: Readonly<Record<string, { readonly names: readonly number[]; readonly run: Command }>> = {
  install: { names: [1], run: install },
  upgrade: { names: [1], run: upgrade },
  rollback: { names: [1], run: rollback },
  disable: { names: [1], run: (call) => change(call, 'POST', `${pathOf(call)}/disable`, {}) },
  enable: { names: [1], run: (call) => change(call, 'POST', `${pathOf(call)}/enable`, {}) },
  remove: { names: [1], run: remove },
  list: { names: [0], run: list },
  pin: { names: [3], run: pin },
  operations: { names: [0, 1], run: operations },
  cancel: { names: [1], run: cancel },
  tenant: { names: [1, 2, 3], run: tenant },
  audit: { names: [1], run: audit },
  queue: { names: [1, 2, 3], run: queue },
}

export const isOperatorCommand = (name: string | undefined): name is string =>
  name !== undefined && Object.hasOwn(commands, name)

/** True when what was asked for has happened. @throws UsageError, or an Error with what the kernel said */
export async function runOperatorCommand(
  name: string,
  args: readonly string[],
  token: string,
  terminal: Terminal,
): Promise<boolean> {
  const command = commands[name]
  const { values: flags, positionals: names } = parse(args)
  if (!command?.names.includes(names.length)) throw new UsageError(`'plinth ${name}' is not used like that.`)
  if (!URL.canParse(flags.url)) throw new UsageError(`--url ${flags.url} is no address.`)
  return command.run({ client: operatorClient(flags.url, token), terminal, flags, names })
}

/** `@acme/visits@^1.2` is a name and a version. */
function split(subject: string): { readonly name: string; readonly version?: string } {
  const at = subject.indexOf('@', 1)
  return at === -1 ? { name: subject } : { name: subject.slice(0, at), version: subject.slice(at + 1) }
}

const pathOf = ({ names: [subject = ''] }: Call): string =>
  `/v1/operator/plugins/${encodeURIComponent(split(subject).name)}`

/** Exactly what the plan showed is what is then installed. */
const asPlanned = { exact: true }

function install(call: Call): Promise<boolean> {
  const { name, version } = split(call.names[0] ?? '')
  const body = { package: name, version, integrity: call.flags.integrity }
  return change(call, 'POST', '/v1/operator/plugins', body, asPlanned)
}

function upgrade(call: Call): Promise<boolean> {
  const { flags } = call
  const { version } = split(call.names[0] ?? '')
  const body = {
    version,
    integrity: flags.integrity,
    channel: flags.beta ? 'beta' : undefined,
    canary: canaryOf(flags),
  }
  return change(call, 'POST', `${pathOf(call)}/upgrade`, body, asPlanned)
}

function canaryOf({ canary, 'canary-tenants': tenants, minutes }: Flags): object | undefined {
  if (canary === undefined && tenants === undefined) return undefined
  const percent = /^(\d{1,3})%?$/.exec(canary ?? '0')?.[1]
  if (percent === undefined || Number(percent) > 100)
    throw new UsageError(`--canary ${canary} is not like 10%.`)
  if (!/^\d+(\.\d+)?$/.test(minutes)) throw new UsageError(`--minutes ${minutes} is not like 30.`)
  return { percent: Number(percent), tenants: tenants?.split(','), minutes: Number(minutes) }
}

function rollback(call: Call): Promise<boolean> {
  const { version } = split(call.names[0] ?? '')
  return change(call, 'POST', `${pathOf(call)}/rollback`, { version })
}

function remove(call: Call): Promise<boolean> {
  const { flags, names } = call
  return change(call, 'DELETE', pathOf(call), { confirm: names[0], force: flags.force ? true : undefined })
}

/** Plan, question, operation, end. */
async function change(
  { client, terminal, flags }: Call,
  method: string,
  path: string,
  body: object,
  { exact }: { exact?: boolean } = {},
): Promise<boolean> {
  const plan = await client.ask(planAnswer, method, path, { ...body, dryRun: true })
  terminal.print(planText(plan))
  if (plan.refusals.length > 0) return false
  if (flags['dry-run']) return true
  if (!flags.yes && !(await terminal.confirm('Go on?'))) {
    terminal.print('Nothing was changed.')
    return false
  }
  const pinned = exact ? { version: plan.to, integrity: plan.integrity } : {}
  return follow(client, terminal, await client.ask(operationAnswer, method, path, { ...body, ...pinned }))
}

const pollMs = 500

async function follow(client: OperatorClient, terminal: Terminal, begun: OperationAnswer): Promise<boolean> {
  let operation = begun
  let printed = 0
  for (;;) {
    for (const step of operation.done.slice(printed)) terminal.print(`  ${step}: done`)
    printed = operation.done.length
    if (/^(succeeded|failed)$/.test(operation.state)) break
    await sleep(pollMs)
    operation = await client.ask(operationAnswer, 'GET', `/v1/operator/operations/${operation.id}`)
  }
  terminal.print(operationText(operation))
  const { receipt } = operation.result
  if (receipt) terminal.print(`Gone: ${receipt.rows} rows, ${receipt.bytes} bytes.`)
  return operation.state === 'succeeded'
}

async function list({ client, terminal }: Call): Promise<boolean> {
  const { items } = await client.ask(listAnswer(pluginAnswer), 'GET', '/v1/operator/plugins')
  terminal.print(items.length === 0 ? 'No plugin is installed.' : items.map(pluginText).join('\n'))
  return true
}

async function pin({ client, terminal, names: [tenant = '', module = '', to = ''] }: Call): Promise<boolean> {
  const isChannel = to === 'stable' || to === 'beta'
  const choice = await client.ask(
    choiceAnswer,
    'PUT',
    `/v1/operator/tenants/${encodeURIComponent(tenant)}/modules/${encodeURIComponent(module)}`,
    isChannel ? { channel: to, version: null } : { version: to },
  )
  const served = choice.version === null ? `follows ${choice.channel}` : `is pinned to ${choice.version}`
  terminal.print(`'${choice.tenant}' ${served} of '${choice.module}'.`)
  return true
}

async function cancel({ client, terminal, names: [id = ''] }: Call): Promise<boolean> {
  const path = `/v1/operator/operations/${encodeURIComponent(id)}/cancel`
  // That it ends as failed is what was asked for.
  await follow(client, terminal, await client.ask(operationAnswer, 'POST', path, {}))
  return true
}

async function audit({ client, terminal, flags, names: [what] }: Call): Promise<boolean> {
  if (what === 'verify') return verifyTrail({ client, print: terminal.print }, flags)
  if (what === 'anchors') return printAnchors({ client, print: terminal.print })
  throw new UsageError(`'plinth audit ${what}' is not used like that.`)
}

async function tenant(call: Call): Promise<boolean> {
  const done = runTenantCommand(call)
  if (!done) throw new UsageError(`'plinth tenant' is not used like that.\n\n${tenantUsage}`)
  return done
}

async function queue(call: Call): Promise<boolean> {
  const done = runQueueCommand(call)
  if (!done) throw new UsageError(`'plinth queue' is not used like that.\n\n${queueUsage}`)
  return done
}

async function operations({ client, terminal, names: [id] }: Call): Promise<boolean> {
  if (id !== undefined) {
    const path = `/v1/operator/operations/${encodeURIComponent(id)}`
    terminal.print(operationText(await client.ask(operationAnswer, 'GET', path)))
    return true
  }
  const { items } = await client.ask(listAnswer(operationAnswer), 'GET', '/v1/operator/operations')
  terminal.print(items.length === 0 ? 'There was none.' : items.map(operationText).join('\n'))
  return true
}

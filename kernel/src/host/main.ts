// Entry of the host process, which runs one plugin for all tenants of one kernel. Frames come in by stdin and go out by
// stdout; when stdin ends, so does the host. Started by sandbox/host-process.ts with the addon's path as its argument.
import { FrameDecoder, fromKernel } from '../protocol/codec.ts'
import type { ToHost, ToKernel } from '../protocol/envelope.ts'
import { FrameWriter } from '../protocol/frame-writer.ts'
import { protocolVersion } from '../protocol/version.ts'
import { IsolatePool } from './isolate-pool.ts'
import { die, loadAddon, lockDown } from './lockdown.ts'
import { pluginCode } from './plugin-code.ts'
import { type IsolateParts, TenantIsolate } from './tenant-isolate.ts'
import { Watchdog } from './watchdog.ts'

/** Where each invocation is. */
const where = new Map<number, TenantIsolate>()
const writer = new FrameWriter(process.stdout, () => where.size > 1)

const send = (message: ToKernel, body = ''): void => {
  writer.send(message, body)
  // Nothing runs after these.
  if (message.type === 'dying') writer.flush()
}

/** With the place in the bundle, which the kernel translates into one in the sources. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 2_000)
  const at = /plinth:plugin:\d+:\d+/.exec(error.stack ?? '')?.[0]
  return `${error.message.slice(0, 2_000)}${at === undefined ? '' : ` (${at})`}`
}

const ivm = loadAddon(process.argv[1] ?? '')
lockDown()

interface Loaded {
  readonly pool: IsolatePool
  readonly parts: IsolateParts
}

const loaded: { plugin: Loaded | undefined } = { plugin: undefined }

function plugin(): Loaded {
  if (!loaded.plugin) throw new Error('The first message has to be load.')
  return loaded.plugin
}

function load({ guest, limits, off }: Extract<ToHost, { type: 'load' }>, bundle: string): void {
  const hasTimeouts = !off.includes('entryTimeout')
  const parts: IsolateParts = {
    ivm,
    code: pluginCode(guest, bundle, limits),
    watchdog: new Watchdog(die, { cpu: hasTimeouts, late: !off.includes('watchdog') }),
    hasTimeouts,
    send,
    onCatastrophe: (message) => {
      console.error(`isolate failed: ${message}`)
      send({ type: 'dying', invocation: 0 })
      die()
    },
    onEnd: (invocation) => where.delete(invocation),
  }
  const rssMb = () => process.memoryUsage.rss() / 2 ** 20
  loaded.plugin = { parts, pool: new IsolatePool({ limits, create: () => new TenantIsolate(parts), rssMb }) }
  send({ type: 'loaded' })
}

/** In an isolate of its own that no tenant ever uses. */
async function describe({ parts }: Loaded): Promise<void> {
  const isolate = new TenantIsolate(parts)
  try {
    send({ type: 'described' }, await isolate.describe())
  } catch (error) {
    send({ type: 'refused', reason: reasonOf(error) })
  } finally {
    isolate.dispose()
  }
}

// How long a host waits before it makes the next tenant's isolate ahead of him.
const prepareAfterMs = 2
let preparing: NodeJS.Timeout | undefined

function prepare(): void {
  preparing = undefined
  plugin().pool.prepare()
}

function invoke({ invocation, tenant, cpuMs }: Extract<ToHost, { type: 'invoke' }>, body: string): void {
  const isolate = plugin().pool.take(tenant)
  if (!isolate) {
    send({ type: 'failed', invocation, cpuMs: 0, failure: { kind: 'lost' } }, '{}')
    return
  }
  where.set(invocation, isolate)
  isolate.start(invocation, cpuMs, body)
  // Not at once: the first entry of this one has a right to the machine.
  if (!preparing) preparing = setTimeout(prepare, prepareAfterMs)
}

function hear(message: ToHost, body: Buffer): void {
  switch (message.type) {
    case 'result':
    case 'failure': {
      const { invocation, call } = message
      where.get(invocation)?.settle(invocation, call, message.type === 'result', body.toString())
      return
    }
    case 'invoke':
      invoke(message, body.toString())
      return
    case 'cancel':
      where.get(message.invocation)?.cancel(message.invocation)
      return
    case 'ping':
      send({ type: 'pong', isolates: loaded.plugin?.pool.size ?? 0 })
      return
    case 'describe':
      void describe(plugin())
      return
    case 'load':
      load(message, body.toString())
  }
}

const decoder = new FrameDecoder(fromKernel, (header, body) => {
  const message: ToHost = JSON.parse(header)
  hear(message, body)
})
const fatal = (error: unknown) => {
  console.error(error)
  die()
}
process.on('uncaughtException', fatal)
process.on('unhandledRejection', fatal)
process.stdin.on('data', (chunk: Buffer) => decoder.push(chunk))
process.stdin.on('end', die)
process.stdin.on('error', die)
process.stdout.on('error', die)
send({ type: 'ready', protocol: protocolVersion })

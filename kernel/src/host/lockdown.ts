// Takes from the host process what it needs (one addon) and then what it does not need. A seat belt: the walls are the
// isolate, `--permission` and what the kernel puts around the process.
import type IsolatedVm from 'isolated-vm'

export type Ivm = typeof IsolatedVm

const isIvm = (value: unknown): value is Ivm =>
  typeof value === 'object' && value !== null && 'Isolate' in value && typeof value.Isolate === 'function'

/** Not `import`: isolated-vm's own loader reads `/etc/alpine-release` and fails under `--permission`. */
export function loadAddon(path: string): Ivm {
  const module: { exports: { ivm?: unknown } } = { exports: {} }
  process.dlopen(module, path)
  const { ivm } = module.exports
  if (!isIvm(ivm)) throw new Error('The addon is not isolated-vm.')
  return ivm
}

const outward = [
  'fetch',
  'WebSocket',
  'EventSource',
  'XMLHttpRequest',
  'Worker',
  'BroadcastChannel',
  'navigator',
]
const inward = ['dlopen', 'binding', '_linkedBinding', 'chdir', 'getBuiltinModule', 'loadEnvFile', 'execve']

/** After the addon is loaded nothing else is, and stdout belongs to the frames. */
export function lockDown(): void {
  for (const name of outward) Reflect.deleteProperty(globalThis, name)
  for (const name of inward) Reflect.defineProperty(process, name, { value: undefined, configurable: false })
  for (const name of ['log', 'info', 'debug'] as const) console[name] = console.error
}

/** `process.exit()` waits for ever for an isolate that is running, and may crash; this does neither. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('unreachable')
}

// Refuses imports that run against the architecture, state in modules, and the environment read outside config.ts.
// `node scripts/check-boundaries.ts`. What may import what stands in `order` and `packages`; everything else is
// derived from the imports themselves.

import { dirname, join } from 'node:path/posix'
import { conclude } from './conclude.ts'
import { codeOnly, type Import, importsOf, isTestFile, readSource, sourceFiles } from './source-files.ts'

/**
 * The folders of kernel/src: each may import those after it, never one before it. It is the ladder of a request,
 * but for entitlements and permissions: a call that comes back from a plugin asks them again, so they stand below
 * the broker. Types alone may be taken from any of them, for they are gone when the code runs.
 */
const order = [
  'operator-cli',
  'http',
  'queue',
  'tenants',
  'identity',
  'mail',
  'lifecycle',
  'registry',
  'sandbox',
  'broker',
  'approvals',
  'entitlements',
  'permissions',
  'outside',
  'audit',
  'data',
  'jobs',
  'events',
  'telemetry',
  'protocol',
]

/** These run in other processes and see the protocol alone (and the guest what it is written against, the SDK). */
const outside: Readonly<Record<string, readonly string[]>> = {
  host: ['protocol'],
  guest: ['protocol', '@plinth/sdk'],
}

/** Files of kernel/src that every folder may import. config.ts only as a type: its values are passed in. */
const shared = ['errors.ts', 'stages.ts', 'config.ts', 'defences.ts', 'plinth-error.ts']

const sdk = '@plinth/sdk'

/** Top folder -> packages of this repository that it may import by name; undefined: any. */
const packages: Readonly<Record<string, readonly string[] | undefined>> = {
  sdk: [],
  kernel: [sdk],
  plugins: [sdk],
  migrations: [],
  // A plain HTTP client with no inside knowledge.
  examples: [],
}

interface File {
  readonly path: string
  readonly source: string
}

export interface BoundaryReport {
  readonly problems: readonly string[]
  readonly files: number
  readonly imports: number
}

export function checkBoundaries(root: string): BoundaryReport {
  const files = sourceFiles(root).map((path): File => ({ path, source: readSource(root, path) }))
  let imports = 0
  const problems = files.flatMap((file) => {
    const named = importsOf(file.source)
    imports += named.length
    const wrongImports = named.flatMap((one) => {
      const problem = refuseImport(file.path, one)
      return problem ? [`${file.path}:${one.line} imports ${one.from}: ${problem}`] : []
    })
    return [...wrongImports, ...refuseState(file)]
  })
  return { problems, files: files.length, imports }
}

// --- imports

function refuseImport(path: string, { from, typeOnly }: Import): string | undefined {
  if (isTestFile(path) || isTool(path)) return undefined
  if (!from.startsWith('.')) return refusePackage(path, from, typeOnly)
  const target = join(dirname(path), from)
  if (packageOf(target) !== packageOf(path)) {
    return 'another package is imported by its name, not by a path.'
  }
  if (isTestFile(target)) return 'only tests import what is made for tests.'
  const [here, there] = [kernelPlace(path), kernelPlace(target)]
  return here && there ? refuseInKernel(here, there, typeOnly) : undefined
}

/** `kernel`, `sdk`, `plugins/finance`: the folder of the package that a file belongs to. */
const packageOf = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('plugins/') ? 2 : 1)
    .join('/')

/** Checks and measurements look into everything. */
const isTool = (path: string): boolean => /^(scripts|bench)\//.test(path)

function refusePackage(path: string, from: string, typeOnly: boolean): string | undefined {
  const [folder = ''] = path.split('/')
  const allowed = packages[folder]
  if (!allowed) return undefined
  // A plugin names the contract of another with `use<Oms>()`: a type, no code.
  if (folder === 'plugins')
    return from === sdk || typeOnly ? undefined : `a plugin sees ${sdk} and its own files alone.`
  // Pure JavaScript without dependencies of its own, and bundled only where a plugin uses it.
  if (folder === 'sdk')
    return from.startsWith('@noble/hashes/')
      ? undefined
      : 'the SDK has no dependencies but @noble/hashes and does no input or output.'
  const [area = ''] = path.split('/').slice(2)
  const limits = path.startsWith('kernel/src/') ? outside[area] : undefined
  if (limits && !limits.includes(from) && from.startsWith('@plinth/'))
    return `${area} sees ${limits.join(' and ')} alone.`
  if (from.startsWith('@plinth/') && !allowed.includes(from)) return `${folder} may not see ${from}.`
  return undefined
}

interface KernelPlace {
  readonly folder: string | undefined
  readonly file: string
}

function kernelPlace(path: string): KernelPlace | undefined {
  // The tables that errors.ts and config.ts put together are parts of these.
  const match = /^kernel\/src\/(?:([^/]+)\/)?(.+)$/.exec(
    path.replace(/^kernel\/src\/(errors|settings)\//, 'kernel/src/$1-'),
  )
  return match ? { folder: match[1], file: match[2] ?? '' } : undefined
}

function refuseInKernel(here: KernelPlace, there: KernelPlace, typeOnly: boolean): string | undefined {
  if (here.folder === there.folder) return undefined
  // kernel.ts, main.ts, cli.ts and what stands beside them put the parts together; what is shared takes types alone.
  if (here.folder === undefined) {
    return shared.includes(here.file) && !typeOnly
      ? `${here.file} takes only types from the folders.`
      : undefined
  }
  const limits = outside[here.folder]
  if (limits) {
    return there.folder && limits.includes(there.folder)
      ? undefined
      : `${here.folder} sees ${limits.join(' and ')} alone.`
  }
  if (there.folder === undefined) {
    if (!shared.includes(there.file)) return `only ${shared.join(', ')} may be seen from a folder.`
    return there.file === 'config.ts' && !typeOnly
      ? 'configuration is passed in; import its type.'
      : undefined
  }
  if (there.folder in outside) return `${there.folder} runs in another process and is never imported.`
  for (const folder of [here.folder, there.folder]) {
    if (!order.includes(folder))
      return `the folder '${folder}' has no place in scripts/check-boundaries.ts yet.`
  }
  if (typeOnly || order.indexOf(here.folder) < order.indexOf(there.folder)) return undefined
  return `${there.folder} comes before ${here.folder}, and imports run one way: ${order.join(' → ')}.`
}

// --- state and environment

const isProduct = (path: string): boolean =>
  /^(kernel|sdk|plugins\/[^/]+)\/src\//.test(path) && !isTestFile(path)

const keepsState = 'a module keeps no state; hold it in a value that kernel.ts makes.'
const state = [
  /^(?:export )?(?:let|var)\b/,
  // An empty collection in a module can only be meant to be filled.
  /^(?:export )?const \w+(?:: [^=]+)? = new (?:Map|Set|WeakMap|WeakSet|LRUCache)\b[^(]*\((?:\{.*\})?\)/,
]
const environment = /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\[/

function refuseState({ path, source }: File): string[] {
  if (!isProduct(path)) return []
  // An entry file is the process: what it keeps is not shared between two users of a module.
  const isEntry = /\/(main|cli)\.ts$/.test(path)
  return codeOnly(source)
    .split('\n')
    .flatMap((line, index) => {
      const problems: string[] = []
      if (!isEntry && state.some((pattern) => pattern.test(line))) problems.push(keepsState)
      if (path !== 'kernel/src/config.ts' && environment.test(line)) {
        problems.push('only kernel/src/config.ts reads the environment.')
      }
      return problems.map((problem) => `${path}:${index + 1}: ${problem}`)
    })
}

if (import.meta.main) {
  const { problems, files, imports } = checkBoundaries(process.cwd())
  conclude(problems, `boundaries: ${imports} imports of ${files} files, all one way`)
}

// Starts the locked-down process of a plugin: Node's permission model, an empty environment, one pipe, and whatever of
// the platform's walls is there. What is missing is said, never passed over.
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

export type HostProcess = ChildProcessByStdio<Writable, Readable, Readable>

/** A program that runs the rest of the command line inside one more wall. */
interface Wall {
  readonly name: string
  readonly command: readonly string[]
}

const walls: readonly (readonly Wall[])[] = [
  [{ name: 'resource limits', command: ['prlimit', '--core=0', '--fsize=0', '--'] }],
  [
    { name: 'network namespace', command: ['unshare', '--net', '--ipc', '--'] },
    // Without root the namespace needs a user namespace around it.
    {
      name: 'network namespace',
      command: ['unshare', '--user', '--map-current-user', '--net', '--ipc', '--'],
    },
  ],
  [
    {
      name: 'no new privileges',
      command: ['setpriv', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'],
    },
  ],
]

const probeDeadlineMs = 5_000

const works = (command: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    const [program = '', ...rest] = [...command, process.execPath, '--version']
    execFile(program, rest, { timeout: probeDeadlineMs, env: {} }, (error) => resolve(error === null))
  })

export interface Platform {
  /** Put before the host's command line. */
  readonly wrapper: readonly string[]
  /** Names of walls this machine does not have. */
  readonly missing: readonly string[]
  readonly addon: string
}

/** The file of isolated-vm that fits this Node, without running its loader. */
export function addonFile(): string {
  const root = dirname(createRequire(import.meta.url).resolve('isolated-vm/package.json'))
  const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)
  const abi = `isolated-vm.abi${process.versions.modules}`
  const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc'
  const files = existsSync(folder) ? readdirSync(folder) : []
  const fitting = [`${abi}.${libc}.node`, `${abi}.node`].find((file) => files.includes(file))
  const built = join(root, 'build/Release/isolated_vm.node')
  if (fitting) return join(folder, fitting)
  if (existsSync(built)) return built
  throw new Error(
    `isolated-vm has no binary for Node ${process.version} on ${process.platform}-${process.arch}`,
  )
}

export async function probePlatform(): Promise<Platform> {
  const wrapper: string[] = []
  const missing: string[] = []
  for (const alternatives of walls) {
    let found: Wall | undefined
    for (const wall of alternatives) {
      if (!found && (await works([...wrapper, ...wall.command]))) found = wall
    }
    if (found) wrapper.push(...found.command)
    else missing.push(alternatives[0]?.name ?? '')
  }
  return { wrapper, missing, addon: addonFile() }
}

export function spawnHost(platform: Platform, script: string, heapMb: number): HostProcess {
  const node = [
    process.execPath,
    '--permission',
    '--allow-addons',
    `--allow-fs-read=${platform.addon}`,
    '--no-experimental-sqlite',
    '--no-node-snapshot',
    '--no-warnings',
    `--max-old-space-size=${heapMb}`,
    '-e',
    script,
    platform.addon,
  ]
  const [program = '', ...rest] = [...platform.wrapper, ...node]
  return spawn(program, rest, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
}

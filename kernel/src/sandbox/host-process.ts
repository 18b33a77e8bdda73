// Starts the locked-down process of a plugin: Node's permission model, an empty environment, one pipe, and whatever of
// the platform's walls is there. What is missing is said, never passed over.
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

export type HostProcess = ChildProcessByStdio<Writable, Readable, Readable>

/** A program that runs the rest of the command line inside one more wall. */
interface Wall {
  readonly gives: readonly string[]
  /** `{user}` becomes a number of its own for each host. */
  readonly command: readonly string[]
}

const bare = ['setpriv', '--no-new-privs', '--inh-caps=-all']

/** In this order around the process; of alternatives the first that works. */
const walls: readonly (readonly Wall[])[] = [
  [{ gives: ['resource limits'], command: ['prlimit', '--core=0', '--fsize=0', '--'] }],
  [
    { gives: ['network namespace'], command: ['unshare', '--net', '--ipc', '--'] },
    // Without root the namespace needs a user namespace around it.
    {
      gives: ['network namespace'],
      command: ['unshare', '--user', '--map-current-user', '--net', '--ipc', '--'],
    },
  ],
  [
    {
      gives: ['no new privileges', 'own user'],
      command: [...bare, '--bounding-set=-all', '--reuid={user}', '--regid={user}', '--clear-groups'],
    },
    // Root whose files nobody else may read.
    { gives: ['no new privileges'], command: [...bare, '--bounding-set=-all'] },
    // Who is not root has no capabilities to give up, and may not empty the set they would come from.
    { gives: ['no new privileges'], command: bare },
  ],
]
const wallNames = new Set(walls.flat().flatMap((wall) => wall.gives))

// A user of its own for each host, from the range that systemd keeps for such users: as the same user, one host could
// signal the kernel and trace its neighbours. With 4,336 to draw from, two hosts seldom meet.
const [firstUser, lastUser] = [61_184, 65_519]

function withUser(wrapper: readonly string[]): readonly string[] {
  const user = String(randomInt(firstUser, lastUser + 1))
  return wrapper.map((part) => part.replace('{user}', user))
}

const probeDeadlineMs = 5_000

/** What a host needs behind the walls: to run Node and to read the addon. */
const works = (command: readonly string[], addon: string): Promise<boolean> =>
  new Promise((resolve) => {
    const load = ['-e', 'process.dlopen({ exports: {} }, process.argv[1])', addon]
    const [program = '', ...rest] = [...command, process.execPath, ...load]
    execFile(program, rest, { timeout: probeDeadlineMs, env: {}, cwd: '/' }, (error) =>
      resolve(error === null),
    )
  })

export interface Platform {
  /** What is put before a host's command line. */
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
  const addon = addonFile()
  const wrapper: string[] = []
  const given = new Set<string>()
  for (const alternatives of walls) {
    for (const wall of alternatives) {
      if (!(await works(withUser([...wrapper, ...wall.command]), addon))) continue
      wrapper.push(...wall.command)
      for (const name of wall.gives) given.add(name)
      break
    }
  }
  return { wrapper, missing: [...wallNames].filter((name) => !given.has(name)), addon }
}

export interface HostFlags {
  /** Of the process itself, not of its isolates. */
  readonly heapMb: number
  /** Without V8's compilers to machine code. */
  readonly jitless?: boolean
}

export function spawnHost(platform: Platform, script: string, flags: HostFlags): HostProcess {
  const node = [
    process.execPath,
    '--permission',
    '--allow-addons',
    `--allow-fs-read=${platform.addon}`,
    '--no-experimental-sqlite',
    '--no-node-snapshot',
    '--disable-sigusr1',
    '--no-warnings',
    `--max-old-space-size=${flags.heapMb}`,
    ...(flags.jitless ? ['--jitless'] : []),
    '-e',
    script,
    platform.addon,
  ]
  const [program = '', ...rest] = [...withUser(platform.wrapper), ...node]
  return spawn(program, rest, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
}

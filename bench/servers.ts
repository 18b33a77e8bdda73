// The processes that are measured: kernels with the measured plugin, and the control, each started from its script.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..')
export const pluginPackage = '@plinth-bench/items'

/** Settings of a kernel that counts requests as any does, and turns away nobody who asks as often as a load does. */
export const highRates = {
  PLINTH_RATE_ADDRESS: '1000000000',
  PLINTH_RATE_TENANT: '1000000000',
  PLINTH_RATE_USER: '1000000000',
}

export interface Server {
  readonly child: ChildProcess
  readonly url: string
}

/** An installation whose one plugin is the measured one. */
export async function makeRoot(folder: string): Promise<string> {
  await mkdir(join(folder, 'node_modules/@plinth-bench'), { recursive: true })
  await symlink(join(import.meta.dirname, 'items-plugin'), join(folder, 'node_modules', pluginPackage))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies: { [pluginPackage]: '*' } }))
  return folder
}

export async function start(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
  nodeOptions: readonly string[] = [],
): Promise<Server> {
  const child = spawn(process.execPath, [...nodeOptions, join(repository, script), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const found = ready.exec(printed)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', () => reject(new Error(`${script} ended: ${printed}`)))
  })
  return { child, url }
}

/** The process and everything below it: the kernel's hosts count as the kernel's. */
export async function family(child: ChildProcess): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    parents.set(Number(entry), Number(stat.split(') ')[1]?.split(' ')[1] ?? 0))
  }
  const isBelow = (pid: number): boolean =>
    pid === child.pid || (parents.has(pid) && isBelow(parents.get(pid) ?? 0))
  return [...parents.keys()].filter((pid) => pid > 1 && isBelow(pid))
}

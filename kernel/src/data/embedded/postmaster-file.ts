// Reads `postmaster.pid`, PostgreSQL's own account of which process serves a data folder and where it listens.

import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

/** The postmaster that serves the folder now, or undefined (no file, half a file, or a process that is gone). */
export function runningPostmaster(dataFolder: string): Postmaster | undefined {
  const lines = readLines(join(dataFolder, 'postmaster.pid'))
  const pid = Number(lines[0])
  const port = Number(lines[3])
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid) || !serves(pid, dataFolder)) return undefined
  return { pid, port, ready: Number.isInteger(port) && port > 0 && lines[7]?.trim() === 'ready' }
}

/**
 * PostgreSQL will not start while the process named in its file lives, whatever that process is. Only a file that
 * names a living stranger is removed: removing another starter's would let two servers write one folder.
 */
export function removeForeignFile(dataFolder: string): void {
  const file = join(dataFolder, 'postmaster.pid')
  const pid = Number(readLines(file)[0])
  if (Number.isInteger(pid) && pid > 0 && isAlive(pid) && !serves(pid, dataFolder))
    rmSync(file, { force: true })
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** After a reboot the number may belong to any other process. A zombie has no command line and is none. */
function serves(pid: number, dataFolder: string): boolean {
  try {
    const command =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        : execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
    return command.includes('postgres') && command.includes(dataFolder)
  } catch {
    return false
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

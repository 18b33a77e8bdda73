// Where an embedded PostgreSQL keeps its things, and how its data folder is first made.

import { createHash, randomBytes } from 'node:crypto'
import { chown, mkdir, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DataLog } from '../data-log.ts'
import { canReach, type OsAccount } from './os-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { isAlive } from './postmaster-file.ts'
import { runToEnd } from './run-program.ts'

/** The superuser of an embedded cluster. */
export const adminName = 'postgres'

export interface Places {
  readonly root: string
  readonly data: string
  readonly password: string
  readonly log: string
  readonly keeper: string
  readonly binaryCopy: string
}

const placesIn = (root: string, binaryCopy: string): Places => ({
  root,
  data: join(root, 'data'),
  password: join(root, 'password'),
  log: join(root, 'log'),
  keeper: join(root, 'keeper'),
  binaryCopy,
})

/** `reachableRoot` serves when the account cannot reach DATA_DIR (a clone inside a private temporary folder). */
export async function choosePlaces(
  options: { readonly dataDir: string; readonly reachableRoot?: string; readonly log: DataLog },
  account: OsAccount,
): Promise<Places> {
  await mkdir(options.dataDir, { recursive: true })
  const dataDir = await realpath(options.dataDir)
  const elsewhere = join(
    options.reachableRoot ?? '/var/lib/plinth',
    createHash('sha256').update(dataDir).digest('hex').slice(0, 16),
  )
  const binaryCopy = join(account ? elsewhere : dataDir, 'postgres-programs')
  if (canReach(account, dataDir)) return placesIn(join(dataDir, 'postgres'), binaryCopy)
  options.log.warn(
    { dataDir, account: account?.name, usedInstead: elsewhere },
    'the account PostgreSQL runs under cannot reach DATA_DIR: its data is kept elsewhere',
  )
  await mkdir(elsewhere, { recursive: true, mode: 0o755 })
  return placesIn(join(elsewhere, 'postgres'), binaryCopy)
}

/** Built beside its place and moved there whole: a kill in the middle, or two kernels at once, leave no half. */
export async function initialise(
  binaries: PostgresBinaries,
  places: Places,
  account: OsAccount,
): Promise<void> {
  await removeAbandoned(places.root)
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}`
  const unfinished = placesIn(`${places.root}.${unique}`, places.binaryCopy)
  await mkdir(unfinished.root, { mode: 0o700 })
  await writeFile(unfinished.password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
  if (account) {
    await chown(unfinished.password, account.uid, account.gid)
    await chown(unfinished.root, account.uid, account.gid)
  }
  const flags = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const security = ['--auth=scram-sha-256', `--username=${adminName}`, `--pwfile=${unfinished.password}`]
  await runToEnd(
    binaries.initdb,
    [`--pgdata=${unfinished.data}`, ...flags, ...security, '--data-checksums', '--no-instructions'],
    account,
  )
  await rename(unfinished.root, places.root).catch(async (error: NodeJS.ErrnoException) => {
    await rm(unfinished.root, { recursive: true, force: true })
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}

/** What kernels left that were killed in the middle of `initialise`. */
async function removeAbandoned(root: string): Promise<void> {
  for (const entry of await readdir(dirname(root))) {
    const pid = Number(/^postgres\.(\d+)-[0-9a-f]+$/.exec(entry)?.[1])
    if (pid > 0 && !isAlive(pid)) await rm(join(dirname(root), entry), { recursive: true, force: true })
  }
}

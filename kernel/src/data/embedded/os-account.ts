// The operating system account PostgreSQL runs under, and whether that account can reach a folder.
// PostgreSQL refuses to run as root, so a kernel started by root lends it another account.

import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** `undefined` means: run as we are. */
export type OsAccount = { readonly name: string; readonly uid: number; readonly gid: number } | undefined

const candidates = ['postgres', 'nobody'] as const

export function postgresAccount(): OsAccount {
  if (process.getuid?.() !== 0) return undefined
  for (const name of candidates) {
    const uid = accountNumber('-u', name)
    const gid = accountNumber('-g', name)
    if (uid !== undefined && gid !== undefined) return { name, uid, gid }
  }
  throw new Error(
    'PostgreSQL does not run as root and there is no account "postgres" or "nobody" to run it as. ' +
      'Start Plinth as an ordinary user, or set DATABASE_URL.',
  )
}

function accountNumber(flag: '-u' | '-g', name: string): number | undefined {
  try {
    const text = execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const number = Number(text.trim())
    return Number.isInteger(number) && number > 0 ? number : undefined
  } catch {
    return undefined
  }
}

/** Whether the account may pass through every existing folder on the way to `path`, `path` included. */
export function canReach(account: OsAccount, path: string): boolean {
  if (account === undefined) return true
  for (let folder = path; ; folder = dirname(folder)) {
    const stats = statSync(folder, { throwIfNoEntry: false })
    if (stats) {
      const bit = stats.uid === account.uid ? 0o100 : stats.gid === account.gid ? 0o010 : 0o001
      if ((stats.mode & bit) === 0) return false
    }
    if (folder === dirname(folder)) return true
  }
}

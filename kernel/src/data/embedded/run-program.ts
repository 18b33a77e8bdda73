// Starts a PostgreSQL program as the right account, with an empty environment.

import { type SpawnOptions, spawn } from 'node:child_process'
import type { OsAccount } from './os-account.ts'

// Neither user names nor the kernel's secrets are any business of the database process.
const environment = { LC_ALL: 'C', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' }
const deadlineMs = 60_000

export const asAccount = (account: OsAccount): SpawnOptions => ({
  cwd: '/',
  env: environment,
  ...(account && { uid: account.uid, gid: account.gid }),
})

export function runToEnd(program: string, args: string[], account: OsAccount): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, {
      ...asAccount(account),
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: deadlineMs,
    })
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => {
      errors = `${errors}${chunk}`.slice(-4000)
    })
    child.on('error', failed)
    child.on('close', (code) => {
      if (code === 0) done()
      else failed(new Error(`${program} failed (${code}): ${errors}`))
    })
  })
}

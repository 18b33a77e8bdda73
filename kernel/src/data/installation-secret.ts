// Secrets of an installation that was given none: generated once, kept in DATA_DIR for its owner's eyes alone.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** `secret` signs sessions and derives passwords; `operator-token` is the operator's key to his API. */
export async function installationSecret(
  dataDir: string,
  name: 'secret' | 'operator-token' = 'secret',
): Promise<string> {
  await mkdir(dataDir, { recursive: true })
  const file = join(dataDir, name)
  // 'wx' fails when the file is there: of two first starts at once, both end with the same secret.
  await writeFile(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' }).catch(
    (error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    },
  )
  const secret = (await readFile(file, 'utf8')).trim()
  if (secret.length < 32)
    throw new Error(`The secret in ${file} is damaged: it has fewer than 32 characters.`)
  return secret
}

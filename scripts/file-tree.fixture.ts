// A folder of small files for one test, gone when the test ends.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

interface Ending {
  teardown(work: () => void): void
}

export function fileTree(t: Ending, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'plinth-tree-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

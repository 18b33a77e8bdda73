// Holds sdk/api.md equal to what @plinth/sdk exports, so that a change of the API is a diff somebody reviews.
// `node scripts/check-api.ts` compares; with `--write` it writes the report. Comments are left out: prose is not API.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { conclude } from './conclude.ts'

const root = join(import.meta.dirname, '..')
const report = join(root, 'sdk/api.md')

const current = writeReport(declarations())
if (process.argv.includes('--write')) writeFileSync(report, current)
conclude(
  readReport() === current
    ? []
    : ['sdk/api.md is not what the SDK exports. If the change is meant: node scripts/check-api.ts --write'],
  'api: sdk/api.md says what the SDK exports',
)

/** The declaration files that the public surface reaches, index.d.ts first, by path. */
function declarations(): Map<string, string> {
  const out = mkdtempSync(join(tmpdir(), 'plinth-api-'))
  try {
    const config = join(out, 'tsconfig.json')
    const compilerOptions = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: join(root, 'sdk/src'),
      outDir: join(out, 'types'),
      types: [],
    }
    const files = [join(root, 'sdk/src/index.ts')]
    writeFileSync(
      config,
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }),
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit', timeout: 60_000 })
    return reachable(join(out, 'types'))
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

function reachable(types: string): Map<string, string> {
  const found = new Map<string, string>()
  const waiting = ['index.d.ts']
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (found.has(path)) continue
    const text = readFileSync(join(types, path), 'utf8')
    found.set(path, text)
    for (const [, specifier] of text.matchAll(/(?:from |import\()['"](\.[^'"]+)\.ts['"]/g)) {
      waiting.push(join(dirname(path), `${specifier}.d.ts`))
    }
  }
  return found
}

function writeReport(files: Map<string, string>): string {
  const sections = [...files]
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([path, text]) => {
      const declared = text
        .replace(/\/\*\*?[\s\S]*?\*\//g, '')
        .split('\n')
        .map((line) => line.trimEnd())
        .filter((line) => line !== '' && !line.startsWith('//') && line !== 'export {};')
        .join('\n')
      return `## ${path.replace('.d.ts', '.ts')}\n\n\`\`\`ts\n${declared}\n\`\`\`\n`
    })
  const head =
    '# API of @plinth/sdk\n\nWritten by `node scripts/check-api.ts --write` from the types; do not edit.\n'
  return [head, ...sections].join('\n')
}

function rank(path: string): number {
  return path === 'index.d.ts' ? 0 : 1
}

function readReport(): string {
  try {
    return readFileSync(report, 'utf8')
  } catch {
    return ''
  }
}

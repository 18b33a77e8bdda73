// Installs what package-lock.json says, when that is not what node_modules holds. Runs before `npm start` and
// `npm test`, on whatever Node the machine has (18 or newer): hence plain JavaScript and nothing imported.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const read = (path) => JSON.parse(readFileSync(path, 'utf8')).packages ?? {}

/**
 * Why an installation is due, or undefined. Contents are compared, not times: a checkout touches files.
 * An optional package may be absent: it is for another platform.
 */
export function whyInstall(root) {
  const installedList = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installedList)) return 'nothing is installed yet'
  const installed = read(installedList)
  for (const [path, wanted] of Object.entries(read(join(root, 'package-lock.json')))) {
    const found = installed[path]
    if (path === '' || (!found && wanted.optional)) continue
    if (!found) return `${path} is not installed`
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${path} is another version than package-lock.json says`
    }
  }
  return undefined
}

// npm says which npm is running; a bare `npm` is a script that Windows would not start.
const npm = (root, ...words) =>
  spawnSync(
    process.env.npm_execpath ? process.execPath : 'npm',
    process.env.npm_execpath ? [process.env.npm_execpath, ...words] : words,
    { cwd: root, stdio: 'inherit' },
  ).status

/** The Node the project runs on comes with the package `node`, whose install script an npm may have left out. */
const nodeWorks = (root) =>
  spawnSync(join(root, 'node_modules/.bin/node'), ['--version'], { stdio: 'ignore' }).status === 0

function install(root) {
  const reason = whyInstall(root)
  if (reason) {
    console.error(`Installing the dependencies: ${reason}. This takes a minute or two.`)
    // Not `npm ci`: it refuses a lock file without the optional binaries of platforms that a registry does not carry.
    const status = npm(root, 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error')
    if (status !== 0) {
      console.error('npm install did not succeed; its messages stand above. Nothing was started.')
      return 1
    }
  }
  if (!nodeWorks(root)) npm(root, 'rebuild', 'node', '--ignore-scripts=false')
  if (nodeWorks(root)) return 0
  console.error('node_modules/.bin/node does not run. Allow the install script of the package `node` and try again.')
  return 1
}

if (process.argv[1] && import.meta.url === new URL(process.argv[1], 'file://').href) {
  process.exitCode = install(process.cwd())
}

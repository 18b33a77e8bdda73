// How much of a registry and of a package is read. Bytes, unless the name says something else.

export interface PackageLimits {
  /** For everything that fetching one package asks of its registry. */
  readonly deadlineMs: number
  readonly packument: number
  /** How many a packument may list. */
  readonly versions: number
  /** Signing keys, attestations. */
  readonly proof: number
  readonly tarball: number
  /** The archive once it is unzipped, its headers with it. */
  readonly unpacked: number
  readonly files: number
  readonly packageJson: number
  readonly bundle: number
  readonly manifest: number
  /** All migrations together. */
  readonly migrations: number
  readonly migrationFiles: number
}

const megabyte = 1024 * 1024

export const packageLimits: PackageLimits = {
  deadlineMs: 30_000,
  packument: 20 * megabyte,
  versions: 20_000,
  proof: megabyte,
  tarball: 10 * megabyte,
  unpacked: 10 * megabyte,
  files: 1_000,
  packageJson: 256 * 1024,
  bundle: 2 * megabyte,
  manifest: 256 * 1024,
  migrations: megabyte,
  migrationFiles: 200,
}

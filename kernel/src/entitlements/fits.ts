import semver from 'semver'

/** A tenant on the beta channel has 1.2.0-rc.1 where others have 1.1.0: `^1` means both, and never 2.0.0-rc.1. */
export const fits = (version: string, range: string): boolean =>
  semver.satisfies(version, range, { includePrerelease: true })

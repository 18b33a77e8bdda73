// What a plugin uses too much of: the way, how often, and the cap that is told. The ways are in support/greedy-plugin.ts.

/** How often is too often, and the cap that is told. */
export const governorAttacks = [
  ['queries', 270, 250],
  ['rowsWritten', 12, 10_000],
  ['rowsRead', 4, 50_000],
  ['events', 60, 50],
  ['jobs', 60, 50],
  ['bytesIn', 45, 8 * 1024 * 1024],
  ['bytesOut', 10, 8 * 1024 * 1024],
  ['callDepth', 12, 8],
  ['cpu', 90, 1_000],
  ['calls', 600, 500],
  ['result', 11, 1024 * 1024],
] as const

/** Bounded in the isolate too, which is another wall. */
export const doublyBounded = ['calls', 'result']

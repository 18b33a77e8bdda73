// Ways for a plugin to fail, and what its caller gets: of a host (walls.test.ts has their code), and over HTTP
// (plugin-failures.test.ts).

const limit = (name: string) => ({ code: 'LIMIT_EXCEEDED', data: { limit: name, module: 'notes' } })
const failed = { code: 'PLUGIN_FAILED' }

/** Way, the error. */
export const hostWays = [
  ['loop', limit('cpu')],
  ['loopAfterCall', limit('cpu')],
  ['microtasks', limit('cpu')],
  ['string', failed],
  ['nothing', failed],
  ['getter', limit('cpu')],
  ['rejected', failed],
  ['rejectedGetter', { code: /LIMIT_EXCEEDED|PLUGIN_FAILED/ }],
  ['never', { code: 'PLUGIN_DEADLINE_EXCEEDED' }],
  ['huge', limit('result')],
  ['argument', limit('argument')],
  ['calls', limit('calls')],
  ['flood', limit('callsInFlight')],
  ['unawaited', failed],
  ['refuse', { name: 'PluginRefusal', code: 'NO_WAY', data: { field: 'a' } }],
] as const

/** Way, status, code. */
export const failures = [
  ['loop', 502, 'LIMIT_EXCEEDED'],
  ['loopLater', 502, 'LIMIT_EXCEEDED'],
  ['memory', 502, 'LIMIT_EXCEEDED'],
  ['string', 502, 'PLUGIN_FAILED'],
  ['getter', 502, /PLUGIN_FAILED|LIMIT_EXCEEDED/],
  ['undeclared', 502, 'PLUGIN_FAILED'],
  ['declared', 409, 'OUT_OF_PAPER'],
  ['huge', 502, 'LIMIT_EXCEEDED'],
  ['stranger', 404, 'RECORD_NOT_FOUND'],
] as const

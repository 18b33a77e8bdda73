// What code that broke out of its isolate would try in its process, by name: each is a function's text.

export const hostProcessAttempts = (port: number, parent: number): Readonly<Record<string, string>> => ({
  environment: `() => { if (Object.keys(process.env).length === 0) throw new Error('empty'); }`,
  readFile: `() => require('node:fs').readFileSync('/etc/passwd')`,
  signalTheKernel: `() => process.kill(${parent}, 0)`,
  listFolder: `() => require('node:fs').readdirSync('/')`,
  readProc: `() => require('node:fs').readFileSync('/proc/${parent}/environ')`,
  writeFile: `() => require('node:fs').writeFileSync('/tmp/plinth-wall-' + process.pid, 'x')`,
  sqlite: `() => new (require('node:sqlite').DatabaseSync)('/tmp/plinth-wall-' + process.pid + '.db').exec('create table t (a)')`,
  process: `() => { const { status } = require('node:child_process').spawnSync('true'); if (status !== 0) throw new Error('no') }`,
  worker: `() => new (require('node:worker_threads').Worker)('1', { eval: true })`,
  inspector: `() => require('node:inspector').open(0)`,
  connect: `() => new Promise((resolve, reject) => require('node:net').connect(${port}, '127.0.0.1', resolve).on('error', reject))`,
  lookup: `() => new Promise((resolve, reject) => require('node:dgram').createSocket('udp4').on('error', reject).send('x', 9, '127.0.0.1', (error) => error ? reject(error) : resolve()))`,
  fetch: `() => fetch('http://127.0.0.1:${port}/')`,
  listen: `() => new Promise((resolve, reject) => require('node:net').createServer().on('error', reject).listen(0, '127.0.0.1', resolve))`,
})

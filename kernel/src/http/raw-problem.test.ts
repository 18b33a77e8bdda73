// What a client gets for a request that no route ever sees: always a problem document, never a framework's own page.
import { once } from 'node:events'
import { connect } from 'node:net'
import pino from 'pino'
import t from 'tap'
import { createInstance } from './create-instance.ts'
import { createFrontDoor } from './front-door.ts'

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: Readonly<Record<string, unknown>>
}

t.test('requests that reach no route', async (t) => {
  const kernel = await createInstance(
    { log: pino({ level: 'silent' }), debugErrors: false, isClosing: () => false },
    (app) => {
      app.get('/v1/things/:id', async () => ({ ok: true }))
      app.patch('/v1/things/:id', async () => ({ ok: true }))
      app.post('/v1/things', async () => ({ ok: true }))
    },
  )
  const door = createFrontDoor(kernel)
  t.teardown(() => door.shut())
  const { port } = await door.listen('127.0.0.1', 0)

  /** Sends the bytes as they are and reads until the server closes. */
  async function raw(text: string): Promise<Answer> {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.write(text, 'latin1')
    await once(socket, 'close')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: JSON.parse(body || '{}') }
  }
  const get = (path: string, headers = 'Host: a\r\n', method = 'GET') =>
    raw(`${method} ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`)

  const cases: Readonly<Record<string, [Promise<Answer>, number, string]>> = {
    'a percent sign that begins nothing': [get('/v1/things/%zz'), 400, 'REQUEST_MALFORMED'],
    'bytes that are no UTF-8': [get('/v1/things/%ff'), 400, 'REQUEST_MALFORMED'],
    'a part of the path that is too long': [get(`/v1/things/${'x'.repeat(300)}`), 414, 'PATH_TOO_LONG'],
    'a path that is not there': [get('/v1/nothing'), 404, 'ROUTE_NOT_FOUND'],
    'another method than the path has': [
      get('/v1/things/7', 'Host: a\r\n', 'DELETE'),
      405,
      'METHOD_NOT_ALLOWED',
    ],
    'a request line that is none': [raw('nonsense\r\n\r\n'), 400, 'REQUEST_MALFORMED'],
    'a header that is none': [get('/', 'Host: a\r\nno colon\r\n'), 400, 'REQUEST_MALFORMED'],
    'two lengths': [
      get('/', 'Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n'),
      400,
      'REQUEST_MALFORMED',
    ],
    'headers without end': [get('/', `Host: a\r\nX: ${'x'.repeat(20_000)}\r\n`), 431, 'HEADERS_TOO_LARGE'],
    'a path without end': [get(`/${'x'.repeat(20_000)}`), 431, 'HEADERS_TOO_LARGE'],
    'no host': [get('/v1/things/7', ''), 400, 'REQUEST_MALFORMED'],
    'two hosts': [get('/v1/things/7', 'Host: a\r\nHost: b\r\n'), 400, 'REQUEST_MALFORMED'],
    'a host that is none': [get('/v1/things/7', 'Host: a b/c\r\n'), 400, 'REQUEST_MALFORMED'],
  }
  for (const [name, [sent, status, code]] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const { head, body, ...answer } = await sent
      t.equal(answer.status, status)
      t.match(body, { type: 'about:blank', status, code, requestId: /.{8}/ })
      t.match(head, /content-type: application\/problem\+json/)
      t.match(head, `x-request-id: ${String(body['requestId'])}`)
      t.ok(JSON.stringify(body).length < 1_000, 'short, however long the request was')
    })
  }

  await t.test('405 names the methods there are', async (t) => {
    t.match((await get('/v1/things/7', 'Host: a\r\n', 'POST')).head, /\r\nallow: get, head, patch\r\n/)
    t.match((await get('/v1/things?x=1')).head, /\r\nallow: post\r\n/)
  })

  await t.test('hosts of every form are served', async (t) => {
    for (const host of ['a', 'a.example:8080', '127.0.0.1:1', '[::1]:3000', 'my_service', '']) {
      t.equal((await get('/v1/things/7', `Host: ${host}\r\n`)).status, 200, host)
    }
    t.equal((await raw('GET /v1/things/7 HTTP/1.0\r\n\r\n')).status, 200, 'HTTP/1.0 has none')
  })

  await t.test('what comes behind a good request on the same connection is answered after it', async (t) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    socket.write('GET /v1/things/7 HTTP/1.1\r\nHost: a\r\n\r\n')
    while (!answer.includes('{"ok":true}')) await once(socket, 'data')
    socket.write('nonsense\r\n\r\n')
    await once(socket, 'close')
    t.match(answer, /^HTTP\/1\.1 200 .+HTTP\/1\.1 400 .+"REQUEST_MALFORMED"/s)
  })
})

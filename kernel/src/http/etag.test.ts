// The headers of conditional requests, in every form that RFC 9110 gives them.
import pino from 'pino'
import t from 'tap'
import { createInstance } from './create-instance.ts'
import { ifMatch, sendRecord } from './etag.ts'

t.test('conditional requests on a record at version 3', async (t) => {
  const app = await createInstance(
    { log: pino({ level: 'silent' }), debugErrors: false, isClosing: () => false },
    (instance) => {
      instance.get('/record', async (request, reply) => sendRecord(request, reply, { version: 3 }))
      instance.patch('/record', async (request) => ifMatch(request))
    },
  )
  t.teardown(() => app.close())

  for (const [header, status] of [
    ['"3"', 304],
    ['W/"3"', 304],
    ['"1", W/"3"', 304],
    ['"a,b","3"', 304],
    [', "1",, "3" ,', 304],
    ['*', 304],
    ['"2"', 200],
    ['"33"', 200],
    ['3', 200],
    ['"3', 200],
    ['', 200],
  ] as const) {
    for (const method of ['GET', 'HEAD'] as const) {
      const reply = await app.inject({ method, url: '/record', headers: { 'if-none-match': header } })
      t.equal(reply.statusCode, status, `${method} If-None-Match: ${header}`)
      t.equal(reply.headers['etag'], '"3"')
      if (status === 304) t.equal(reply.body, '')
    }
  }

  for (const [header, versions] of [
    ['"3"', [3]],
    ['"1", "3"', [1, 3]],
    ['"1","2" ,"3"', [1, 2, 3]],
    // Strongly compared: a weak tag never matches, and neither does one that we did not give.
    ['W/"3"', []],
    ['W/"3", "2"', [2]],
    ['"abc"', []],
    ['"03"', []],
    ['*', undefined],
  ] as const) {
    const reply = await app.inject({ method: 'PATCH', url: '/record', headers: { 'if-match': header } })
    t.same(reply.json(), versions ? { versions } : {}, `If-Match: ${header}`)
  }
  for (const header of ['3', '"3', 'nonsense', '"1" "3"', '*, "3"', '']) {
    const reply = await app.inject({ method: 'PATCH', url: '/record', headers: { 'if-match': header } })
    t.match(reply.json(), { status: 422, errors: [{ field: 'If-Match' }] }, `If-Match: ${header}`)
  }
  const long = `${'"1",'.repeat(3_000)}"3`
  const reply = await app.inject({ method: 'PATCH', url: '/record', headers: { 'if-match': long } })
  t.equal(reply.statusCode, 422, 'a long list that ends badly is read in one go')
})

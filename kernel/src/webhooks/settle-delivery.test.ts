import t from 'tap'
import { errors } from '../errors.ts'
import { checkEndpointUrl } from './endpoint-url.ts'
import { sendWebhook } from './send-webhook.ts'
import { attemptsOf, nextDelayMs } from './settle-delivery.ts'

const policy = { webhookDelays: [5, 300, 1_800], webhookDisableDays: 5 }
const failed = { delivered: false, durationMs: 1, isGone: false }

t.test('attempts follow the delays, give or take a tenth, and a replay begins again', async (t) => {
  t.equal(attemptsOf(policy), 4)
  const near = (ms: number | undefined, seconds: number) =>
    t.ok(ms !== undefined && ms >= seconds * 900 && ms <= seconds * 1_100, `${ms} is about ${seconds} s`)
  near(nextDelayMs(policy, { attempt: 1, attemptsMax: 4 }, failed), 5)
  near(nextDelayMs(policy, { attempt: 2, attemptsMax: 4 }, failed), 300)
  near(nextDelayMs(policy, { attempt: 3, attemptsMax: 4 }, failed), 1_800)
  t.equal(nextDelayMs(policy, { attempt: 4, attemptsMax: 4 }, failed), undefined)
  near(nextDelayMs(policy, { attempt: 5, attemptsMax: 8 }, failed), 5)
  t.equal(nextDelayMs(policy, { attempt: 1, attemptsMax: 4 }, { ...failed, isGone: true }), undefined)
  const asked = { ...failed, retryAfterMs: 60_000 }
  t.equal(nextDelayMs(policy, { attempt: 1, attemptsMax: 4 }, asked), 60_000)
  near(nextDelayMs(policy, { attempt: 2, attemptsMax: 4 }, asked), 300)
  const never = { ...failed, retryAfterMs: 1e12 }
  t.equal(
    nextDelayMs(policy, { attempt: 1, attemptsMax: 4 }, never),
    86_400_000,
    'nobody is let wait for ever',
  )
})

t.test('an answer becomes an outcome in words that tell nothing of the inside', async (t) => {
  const message = { headers: [], body: Buffer.from('{}') }
  const after = (status: number, headers: Record<string, string> = {}, body = '') =>
    sendWebhook(
      { fetch: async () => ({ status, headers, body: Buffer.from(body) }) },
      'https://a.example/',
      message,
      1_000,
    )
  t.match(await after(200, { 'retry-after': '5' }, 'fine'), {
    delivered: true,
    status: 200,
    response: 'fine',
  })
  t.match(await after(302), { delivered: false, error: /redirect/ })
  t.match(await after(410), { delivered: false, isGone: true })
  t.match(await after(429, { 'retry-after': '120' }), { retryAfterMs: 120_000 })
  const soon = new Date(Date.now() + 90_000).toUTCString()
  const { retryAfterMs = 0 } = await after(503, { 'retry-after': soon })
  t.ok(retryAfterMs > 80_000 && retryAfterMs <= 90_000)
  t.notOk('retryAfterMs' in (await after(503, { 'retry-after': 'tomorrow' })))
  t.equal((await after(200, {}, `a\u0000b\u001b[31m${'x'.repeat(5_000)}`)).response?.length, 1_024)
  t.match((await after(200, {}, 'a\u0000b')).response, /^a\?b$/)
  const refused = (error: Error) =>
    sendWebhook({ fetch: () => Promise.reject(error) }, 'https://a.example/', message, 1_000)
  t.match(await refused(errors.fetchFailed({ host: 'a.example' })), { error: /could not be reached/ })
  t.match(await refused(errors.fetchTimeout({ host: 'a.example', limitMs: 1 })), {
    error: 'No answer in time.',
  })
  await t.rejects(refused(new Error('a bug')), { message: 'a bug' }, 'what is nobody’s fault outside is ours')
})

t.test('where a webhook may lead', async (t) => {
  const none: ReadonlySet<string> = new Set()
  for (const url of ['https://a.example/x?y=1', 'https://a.example:8443/'])
    t.doesNotThrow(() => checkEndpointUrl(url, none))
  for (const url of [
    'http://a.example/',
    'https://10.0.0.1/',
    'https://printer.local/',
    'https://a.internal/',
    'https://x.localhost/',
  ])
    t.throws(
      () => checkEndpointUrl(url, none),
      { code: 'VALIDATION_FAILED', data: { errors: [{ field: 'url' }] } },
      url,
    )
  t.doesNotThrow(() => checkEndpointUrl('http://localhost:4000/x', new Set(['localhost:4000'])))
})

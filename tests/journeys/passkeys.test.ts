// Passkeys, with a device that keeps a real key and signs for real.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import type { Send } from '../support/kernel.ts'
import {
  type PasskeyDevice,
  passkeyDevice,
  type RegistrationAsked,
  type Wrong,
} from '../support/passkey-device.ts'
import { password, peopleLab } from '../support/people-lab.ts'

const origin = 'https://erp.example'
const lab = await peopleLab(t)
const { send, as, mail } = lab
const { admin } = lab.database
const refused = { status: 401, body: { code: 'PASSKEY_REFUSED' } }

async function add(person: Send, device: PasskeyDevice, name = 'a phone') {
  const { body } = await person('POST', '/v1/me/passkeys/options', { password })
  const asked = body['options'] as unknown as RegistrationAsked
  const challengeId = body['challengeId']
  return person('POST', '/v1/me/passkeys', { challengeId, name, response: device.register(asked) })
}

async function ask() {
  const { body } = await send('POST', '/v1/auth/passkey/options')
  return { challengeId: body['challengeId'], options: body['options'] as unknown as { challenge: string } }
}

async function signIn(device: PasskeyDevice, wrong: Wrong = {}) {
  const { challengeId, options } = await ask()
  return send('POST', '/v1/auth/passkey/sign-in', {
    challengeId,
    response: device.authenticate(options, wrong),
  })
}

t.test('a passkey is added with the password, used, listed and removed', async (t) => {
  const { email, send: ada } = await lab.person()
  const device = passkeyDevice(origin)
  t.match(await ada('POST', '/v1/me/passkeys/options', { password: 'not this one' }), {
    body: { code: 'WRONG_PASSWORD' },
  })
  t.match(await add(ada, device), { status: 201, body: { name: 'a phone', isBackedUp: false } })
  await mail(email, /How you sign in was changed/)
  t.match(await add(ada, device, 'again'), refused, 'the same one twice')
  const answer = await signIn(device)
  t.match(answer, { status: 200, body: { user: { email } } })
  const here = as(String(answer.body['token']))
  const listed = await here('GET', '/v1/me/passkeys')
  t.match(listed, { body: { items: [{ name: 'a phone', lastUsedAt: String }] } })
  t.notMatch(JSON.stringify(listed.body), /public_?key/i)
  const [passkey] = listed.body['items'] as { id: string }[]
  const path = `/v1/me/passkeys/${passkey?.id}/remove`
  const other = await lab.person()
  t.match(await other.send('POST', path, { password }), { status: 404 })
  t.match(await here('POST', path, { password: 'not this one' }), { status: 403 })
  t.match(await here('POST', path, { password }), { status: 204 })
  t.match(await signIn(device), refused)
})

t.test('what a device or a thief sends wrong is refused, each challenge is good once', async (t) => {
  const { send: ada } = await lab.person()
  const other = await lab.person()
  const device = passkeyDevice(origin)
  await add(ada, device)
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const wrongs: Readonly<Record<string, Wrong>> = {
    'another page': { origin: 'https://erp.example.evil.example' },
    'another host name': { host: 'evil.example' },
    'nobody unlocked it': { isLocked: true },
    'another key': { key },
    'another person': { userHandle: Buffer.from('somebody-else').toString('base64url') },
  }
  for (const [name, wrong] of Object.entries(wrongs)) t.match(await signIn(device, wrong), refused, name)
  t.match(await signIn(device), { status: 200 })
  t.match(await signIn(device, { counter: 1 }), refused, 'a copy of the device has fallen behind')
  t.match(await signIn(passkeyDevice(origin), { userHandle: 'eA' }), refused, 'nobody has registered it')

  const { challengeId, options } = await ask()
  const first = device.authenticate(options)
  const twice = await Promise.all(
    [1, 2].map(() => send('POST', '/v1/auth/passkey/sign-in', { challengeId, response: first })),
  )
  t.same(twice.map(({ status }) => status).sort(), [200, 401])
  const late = await ask()
  await admin.query(`update identity.passkey_challenge set expires_at = now() - interval '1 second'`)
  const response = device.authenticate(late.options)
  t.match(
    await send('POST', '/v1/auth/passkey/sign-in', { challengeId: late.challengeId, response }),
    refused,
  )

  const mine = await ada('POST', '/v1/me/passkeys/options', { password })
  const asked = mine.body['options'] as unknown as RegistrationAsked
  const stolen = {
    challengeId: mine.body['challengeId'],
    name: 'x',
    response: passkeyDevice(origin).register(asked),
  }
  t.match(await other.send('POST', '/v1/me/passkeys', stolen), refused, 'a challenge is its person’s')
  t.match(await ada('POST', '/v1/me/passkeys', { ...stolen, response: {} }), { status: 422 })
  t.match(await send('POST', '/v1/auth/passkey/sign-in', { challengeId, response: { id: '!' } }), {
    status: 422,
  })
})

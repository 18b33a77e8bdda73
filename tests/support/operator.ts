// The operator of a kernel under test: asks for a change and waits until the operation has ended.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../kernel/src/config.ts'
import { makeInstallation } from './installation.ts'
import { type Method, type Reply, type Send, type TestKernel, testKernel } from './kernel.ts'
import { type Releases, startReleases } from './releases.ts'

export const operatorToken = 'the-operator-token-that-is-used-in-tests'
const pollMs = 50
const endDeadlineMs = 60_000

/** As `send`, and an operation that goes on is waited for. */
export function operatorOf(send: Send, token = operatorToken): Send {
  const headers = { authorization: `Bearer ${token}` }
  return async (method: Method, url: string, body?: unknown): Promise<Reply> => {
    const reply = await send(method, url, body, headers)
    return reply.status === 202 ? ended(send, headers, String(reply.headers['location'])) : reply
  }
}

async function ended(send: Send, headers: Readonly<Record<string, string>>, url: string): Promise<Reply> {
  const deadline = Date.now() + endDeadlineMs
  for (;;) {
    const reply = await send('GET', url, undefined, headers)
    if (/^(succeeded|failed)$/.test(String(reply.body['state']))) return reply
    if (Date.now() > deadline) throw new Error(`no end of ${url}: ${JSON.stringify(reply.body)}`)
    await sleep(pollMs)
  }
}

export interface OperatedKernel extends TestKernel {
  readonly operator: Send
  readonly releases: Releases
}

/** A kernel with nothing installed, beside a registry. */
export async function operatedKernel(
  t: Parameters<typeof startReleases>[0],
  overrides: Partial<Config> = {},
): Promise<OperatedKernel> {
  const releases = await startReleases(t)
  const kernel = await testKernel(t, {
    pluginsRoot: await makeInstallation(t, {}),
    registry: releases.registry.url,
    operatorToken,
    ...overrides,
  })
  return { ...kernel, releases, operator: operatorOf(kernel.send) }
}

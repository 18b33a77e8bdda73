// A kernel with the plugin of job-plugin.ts, and a tenant's view of its jobs.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Config } from '../../kernel/src/config.ts'
import { makeInstallation } from './installation.ts'
import { jobPlugin } from './job-plugin.ts'
import { type Send, type TestKernel, type TestParts, testKernel } from './kernel.ts'

export type Job = Readonly<Record<string, unknown>>

export interface Workshop {
  readonly id: string
  readonly slug: string
  readonly owner: Send
  /** By the plugin's own route; the id. */
  enqueue(job: string, input?: object, options?: object): Promise<string>
  job(id: string): Promise<Job>
  /** When it is in this state. */
  jobIn(id: string, ...states: string[]): Promise<Job>
  /** What jobs and routes have written down, in order. */
  marks(): Promise<string[]>
}

export interface JobLab extends TestKernel {
  openWorkshop(): Promise<Workshop>
  /** Another's view of the same tenant. */
  workshop(tenant: { id: string; slug: string; owner: Send }): Workshop
}

/** Short waits: a test is not to wait for an hour. */
export const quick: Partial<Config> = { retryFirstMs: 50, retryLongestMs: 400 }

export async function jobLab(
  t: Test,
  overrides: Partial<Config> = {},
  parts: TestParts = {},
): Promise<JobLab> {
  const pluginsRoot =
    overrides.pluginsRoot ?? (await makeInstallation(t, { '@test/works': { source: jobPlugin() } }))
  const lab = await testKernel(t, { ...quick, ...overrides, pluginsRoot }, parts)
  return {
    ...lab,
    openWorkshop: async () => workshopOf(await lab.openTenant('works')),
    workshop: workshopOf,
  }
}

export const workshopOf = (tenant: { id: string; slug: string; owner: Send }): Workshop => {
  const { owner } = tenant
  const job = async (id: string) => (await owner('GET', `/v1/tenant/jobs/${id}`)).body
  return {
    ...tenant,
    async enqueue(name, input = {}, options = {}) {
      const body = { job: name, input: JSON.stringify(input), options: JSON.stringify(options) }
      const { body: made, status } = await owner('POST', '/v1/works/enqueue', body)
      if (status !== 200) throw new Error(`not enqueued: ${JSON.stringify(made)}`)
      return String(made['id'])
    },
    job,
    jobIn: (id, ...states) =>
      until(
        () => job(id),
        (found) => states.includes(String(found['state'])),
      ),
    async marks() {
      const { body } = await owner('GET', '/v1/works/marks?limit=200&sort=createdAt')
      const items = body['items'] as { text: string; n: number }[]
      return items
        .filter(({ text }) => text !== 'asked')
        .map(({ text, n }) => (n === 0 ? text : `${text} ${n}`))
    },
  }
}

/** Asks until the answer is so, and gives it. The bound is for a failing test. */
export async function until<T>(
  ask: () => Promise<T>,
  isSo: (answer: T) => boolean,
  withinMs = 8_000,
): Promise<T> {
  const end = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (isSo(answer) || Date.now() > end) return answer
    await sleep(25)
  }
}

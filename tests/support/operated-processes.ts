// Kernel processes on one database beside a registry, their operator, and a tenant with people in it.
import { randomUUID } from 'node:crypto'
import { type TestDatabase, testDatabase, testInstallation } from './database.ts'
import { makeInstallation } from './installation.ts'
import type { Send } from './kernel.ts'
import { type KernelProcess, sendTo, signUpAt, startKernelProcess } from './kernel-process.ts'
import { operatorToken } from './operator.ts'
import { type Releases, startReleases } from './releases.ts'

export interface OperatedProcesses {
  readonly database: TestDatabase
  readonly releases: Releases
  readonly environment: Readonly<Record<string, string>>
  start(): Promise<KernelProcess>
}

export interface ProcessTenant {
  readonly id: string
  readonly slug: string
  /** Its owner, at a process. */
  at(url: string): Send
}

export async function operatedProcesses(t: Parameters<typeof startReleases>[0]): Promise<OperatedProcesses> {
  const releases = await startReleases(t)
  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_REGISTRY: releases.registry.url,
    PLINTH_OPERATOR_TOKEN: operatorToken,
    PLINTH_PLUGINS_ROOT: await makeInstallation(t, {}),
  }
  return { database, releases, environment, start: () => startKernelProcess(t, environment) }
}

export async function openTenantAt(url: string, ...modules: string[]): Promise<ProcessTenant> {
  const slug = `t-${randomUUID().slice(0, 8)}`
  const person = await signUpAt(url, `${randomUUID()}@example.com`, 'correct horse battery')
  const headers = { ...person, 'x-tenant-id': slug }
  const owner = sendTo(url, headers)
  const { body } = await owner('POST', '/v1/tenants', { name: slug, slug, currency: 'USD' })
  for (const module of modules) await owner('POST', '/v1/tenant/modules', { module })
  return { id: String(body['id']), slug, at: (there) => sendTo(there, headers) }
}

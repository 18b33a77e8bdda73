// Runs a case against a kernel and writes down all that can be seen of it: replies, rows, audit, outbox and log, with
// ids and moments replaced by their order of appearance, so that two runs can be compared.
import { randomUUID } from 'node:crypto'
import type { TestKernel } from '../support/kernel.ts'
import type { Case, Reply, Step, Who } from './case.ts'

export interface Seen {
  readonly replies: readonly Reply[]
  /** Everything to be compared, as one text. */
  readonly record: string
}

interface Person {
  readonly id: string
  readonly email: string
  readonly authorization: string
}

export interface Stage {
  readonly kernel: TestKernel
  readonly lines: readonly Record<string, unknown>[]
  readonly owner: Person
  readonly member: Person
}

const password = 'correct horse battery'

/** A kernel with two people; every case gets tenants of its own from them. */
export async function openStage(
  kernel: TestKernel,
  lines: readonly Record<string, unknown>[],
): Promise<Stage> {
  const person = async (): Promise<Person> => {
    const email = `${randomUUID()}@example.com`
    const { body } = await kernel.send('POST', '/v1/auth/sign-up/email', {
      name: 'A Person',
      email,
      password,
    })
    const user = body['user']
    const id = typeof user === 'object' && user !== null && 'id' in user ? String(user['id']) : ''
    return { id, email, authorization: `Bearer ${String(body['token'])}` }
  }
  return { kernel, lines, owner: await person(), member: await person() }
}

async function openTenant({ kernel, owner, member }: Stage, slug: string): Promise<string> {
  const headers = { authorization: owner.authorization, 'x-tenant-id': slug }
  const { body } = await kernel.send('POST', '/v1/tenants', { name: slug, slug, currency: 'USD' }, headers)
  const http = ['api.bank.example', 'cdn.bank.example']
  for (const body of [{ module: 'helper' }, { module: 'subject', consent: { http } }]) {
    await kernel.send('POST', '/v1/tenant/modules', body, headers)
  }
  await kernel.send('POST', '/v1/tenant/members', { email: member.email, role: 'member' }, headers)
  return String(body['id'])
}

export async function runCase(stage: Stage, one: Case, index: number): Promise<Seen> {
  const { kernel, owner, member, lines } = stage
  const slugs: Record<Who, string> = {
    owner: `case-${index}`,
    member: `case-${index}`,
    neighbour: `beside-${index}`,
  }
  const tenants = [await openTenant(stage, slugs.owner)]
  const isUsed = one.steps.flat().some((step) => step.as === 'neighbour')
  if (isUsed) tenants.push(await openTenant(stage, slugs.neighbour))
  const replies: Reply[] = []

  async function send(step: Step, number: number): Promise<Reply> {
    const { as = 'owner', path = `subject/c${index}` } = step
    const reply = await kernel.kernel.inject({
      method: step.method ?? 'POST',
      url: `/v1/${typeof path === 'string' ? path : path(replies)}`,
      headers: {
        authorization: (as === 'member' ? member : owner).authorization,
        'x-tenant-id': slugs[as],
        'x-request-id': `case-${index}-step-${number}`,
      },
      ...(step.body === undefined ? {} : { payload: step.body as object }),
    })
    // The id of a refusal is sealed anew each time.
    const payload = reply.payload.replace(/"decision":"[^"]+"/, '"decision":"<decision>"')
    const isJson = /json/.test(String(reply.headers['content-type'] ?? ''))
    const kept = ['content-type', 'location', 'etag', 'retry-after', 'x-request-id']
    const headers = Object.fromEntries(kept.map((name) => [name, reply.headers[name]]))
    // That of what has no version is a digest, of moments too.
    if (/^"[\w-]{22}"$/.test(String(headers['etag']))) headers['etag'] = '"<digest>"'
    return {
      status: reply.statusCode,
      text: `${JSON.stringify(headers)}\n${payload}`,
      body: isJson && reply.payload !== '' ? JSON.parse(reply.payload) : undefined,
    }
  }

  let number = 0
  for (const group of one.steps) {
    const steps: readonly Step[] = 'status' in group ? [group] : group
    const sent = steps.map((step) => {
      number += 1
      return send(step, number)
    })
    replies.push(...(await Promise.all(sent)))
  }
  const left = await rowsOf(stage, tenants, index)
  const answers = replies.map(({ status, text }) => ({ status, text }))
  const record = { answers, left, log: linesOf(lines, index) }
  return { replies, record: comparable(JSON.stringify(record, null, 1), { owner, member }) }
}

const tables = ['plugin_subject.note', 'plugin_subject.guarded', 'plugin_subject.tag', 'plugin_helper.thing']

async function rowsOf({ kernel }: Stage, tenants: readonly string[], index: number): Promise<unknown> {
  const { admin } = kernel.database
  const found: Record<string, unknown> = {}
  for (const table of tables) {
    const order = table.endsWith('note') ? 'text, n, number' : table.endsWith('tag') ? 'code' : 'text'
    const { rows } = await admin.query(`select * from ${table} where tenant_id = any($1) order by ${order}`, [
      tenants,
    ])
    found[table] = rows
  }
  for (const table of ['kernel.audit', 'kernel.outbox']) {
    const what = table === 'kernel.audit' ? 'entity, record_id, action, before, after' : 'event, payload'
    const { rows } = await admin.query(
      `select request_id, actor, module, ${what} from ${table} where request_id like $1 order by request_id, id`,
      [`case-${index}-step-%`],
    )
    found[table] = rows
  }
  // Its id is a number of the whole database.
  const { rows } = await admin.query(
    `select request_id, actor, kind, queue, name, input, unique_key, priority, depth, attempts_max,
            run_at > created_at + interval '1 hour' as later
     from kernel.task where request_id like $1 order by request_id, id`,
    [`case-${index}-step-%`],
  )
  found['kernel.task'] = rows
  return found
}

/** Where it was thrown. In process the frames of the kernel, which called, leave little room for more. */
const placeIn = (stack: string) => /(?:plugin\.ts|plinth:plugin):\d+:\d+/.exec(stack)?.[0]

/** By request: what two requests log at once has no order. */
function linesOf(lines: readonly Record<string, unknown>[], index: number): unknown {
  const byRequest: Record<string, unknown[]> = {}
  for (const { requestId, level, msg, module, plugin, code, status, method, err } of lines) {
    if (typeof requestId !== 'string' || !requestId.startsWith(`case-${index}-step-`)) continue
    const isError = typeof err === 'object' && err !== null
    const message = isError && 'message' in err ? err.message : undefined
    const place = isError && 'stack' in err ? placeIn(String(err.stack)) : undefined
    byRequest[requestId] ??= []
    byRequest[requestId].push({ level, msg, module, plugin, code, status, method, message, place })
  }
  return Object.entries(byRequest).sort(([a], [b]) => a.localeCompare(b))
}

const id = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const moment = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|\+00:00)/g

/** What is left of a request's time when a module gets it. */
const timeLeft = /within \d+ ms/g

/** The id of a refusal is another each time. */
const sealed = /(\\?"decision\\?":\\?")[\w-]+/g

/** Moments the clock gave are one and the same; those a case writes down are from another century. */
function comparable(text: string, people: Readonly<Record<string, Person>>): string {
  const known = new Map<string, string>()
  const named = Object.entries(people).reduce((all, [name, person]) => all.replaceAll(person.id, name), text)
  return named
    .replace(sealed, '$1sealed')
    .replace(id, (found) => {
      const name = known.get(found) ?? `id-${known.size + 1}`
      known.set(found, name)
      return name
    })
    .replace(timeLeft, 'within its time')
    .replace(moment, (found) => (found < '2020' ? found : 'a moment'))
}

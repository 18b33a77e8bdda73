// The hunt: in turns the people of one tenant send requests, some as they should be and most with something swapped, and
// after each batch the rows of the other tenant are what they were.
import type { Manifest } from '@plinth/sdk'
import type pg from 'pg'
import type { Kernel } from '../../../kernel/src/kernel.ts'
import { shapeOf } from './api-routes.ts'
import { type Call, injectable, makeCall, urlOf } from './call.ts'
import { changedTables, fingerprints } from './fingerprint.ts'
import { chooseRoute, type HuntedRoute, huntedRoutes } from './hunted-routes.ts'
import { learnFrom } from './learn.ts'
import { type Random, randomFrom } from './random.ts'
import { type Answer, judge, likeness, type Rules } from './referee.ts'
import type { Scene } from './scene.ts'
import type { Person, Side } from './side.ts'
import { swapOne } from './swaps.ts'
import { unansweredHere } from './weights.ts'
import { whoMay } from './who-may.ts'
import { workDone } from './work-done.ts'

export interface Finding {
  readonly what: string
  /** How to ask the same again. */
  readonly call: string
}

export interface Tally {
  /** 2xx. */
  ok: number
  all: number
  /** How the last refusal of a request without swaps looked. */
  refusal: string
}

export interface HuntReport {
  readonly calls: number
  readonly seconds: number
  readonly findings: readonly Finding[]
  /** Answers by route. */
  readonly routes: ReadonlyMap<string, Tally>
}

/**
 * `as it is`: every layer. `statements alone`: the policies of the tables are off, and only what names its tenant in its
 * own statement is asked. `no policies`: they are off, and all is asked.
 */
export type Layers = 'as it is' | 'statements alone' | 'no policies'

export interface HuntOptions {
  readonly seed: number
  readonly calls: number
  /** Three batches of four as it is, one with statements alone, unless said. */
  readonly layers?: Layers
  readonly print?: (line: string) => void
  /** The hunt ends with so many findings. */
  readonly enough?: number
  /** Every route of the scene was asked before, by another hunt. */
  readonly isAsked?: boolean
}

/** What was found, to be read. */
export const said = ({ findings }: HuntReport): string[] =>
  findings.map(({ what, call }) => `${what}\n    ${call}`)

const passes = 6
const batchSize = 1_000
const atOnce = 12
const swappedShare = 0.65
const layersInTurn: readonly Layers[] = ['as it is', 'as it is', 'statements alone', 'as it is']

const show = (call: Call): string =>
  [
    `${call.route.method} ${urlOf(call)}`,
    `as ${call.person.standing}`,
    `swapped: ${call.swaps.join(', ') || 'nothing'}`,
    JSON.stringify({ ...call.headers, authorization: '...' }),
    call.body === undefined ? '' : JSON.stringify(call.body)?.slice(0, 600),
  ].join(' | ')

async function switchPolicies(admin: pg.Client, way: 'enable' | 'disable'): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname like 'plugin\\_%' and c.relkind in ('r', 'p')`,
  )
  for (const { name } of rows) await admin.query(`alter table ${name} ${way} row level security`)
}

export async function hunt(kernel: Kernel, scene: Scene, options: HuntOptions): Promise<HuntReport> {
  const { calls: wanted, enough = 10, print = () => undefined } = options
  const started = performance.now()
  const party = await gather(kernel, scene, options.seed)
  const findings: Finding[] = []
  let made = options.isAsked ? 0 : await askEverythingOnce(party, scene, findings)
  for (let batch = 0; made < wanted && findings.length < enough; batch += 1) {
    const [hunter, prey] = batch % 2 === 0 ? scene.sides : [scene.sides[1], scene.sides[0]]
    const layers = options.layers ?? layersInTurn[(batch >> 1) % layersInTurn.length] ?? 'as it is'
    const size = Math.min(batchSize, wanted - made)
    if (layers !== 'as it is') await switchPolicies(scene.database.admin, 'disable')
    try {
      findings.push(
        ...(await huntBatch(party, { hunter, prey, layers, size, enough: enough - findings.length })),
      )
    } finally {
      if (layers !== 'as it is') await switchPolicies(scene.database.admin, 'enable')
    }
    made += size
    await scene.restore(kernel)
    print(`${made} calls, ${findings.length} findings`)
  }
  return { calls: made, seconds: (performance.now() - started) / 1_000, findings, routes: party.routesAsked }
}

interface Party {
  readonly kernel: Kernel
  readonly random: Random
  readonly routes: readonly HuntedRoute[]
  readonly routesAsked: Map<string, Tally>
  readonly rules: Rules
  readonly admin: pg.Client
  readonly takeFingerprint: Awaited<ReturnType<typeof fingerprints>>
  readonly collectionOf: (entity: string) => string | undefined
}

/** Paths of collections, by the entity that a ref's description names. */
export function collectionsOf(manifests: readonly Manifest[]): (entity: string) => string | undefined {
  const collections = new Map(
    manifests.flatMap(({ name, entities }) =>
      Object.entries(entities).map(
        ([entity, { path }]) => [entity, shapeOf(`/v1/${name}/${path}/{id}`)] as const,
      ),
    ),
  )
  return (entity) => collections.get(entity.split('.').at(-1) ?? entity)
}

async function gather(kernel: Kernel, scene: Scene, seed: number): Promise<Party> {
  const manifests = scene.manifestsOf(kernel)
  return {
    kernel,
    random: randomFrom(seed),
    routes: await huntedRoutes(kernel, scene),
    routesAsked: new Map(),
    rules: whoMay(manifests, scene.modulesOf),
    admin: scene.database.admin,
    takeFingerprint: await fingerprints(scene.database.admin),
    collectionOf: collectionsOf(manifests),
  }
}

/** First each route as its owner would ask it, until it is answered: so that there is something of everything. */
async function askEverythingOnce(party: Party, scene: Scene, findings: Finding[]): Promise<number> {
  const { kernel, random, collectionOf, rules, routesAsked } = party
  let made = 0
  for (let pass = 0; pass < passes; pass += 1) {
    for (const [hunter, prey] of [scene.sides, [scene.sides[1], scene.sides[0]] as const]) {
      // What takes away comes last; what makes something is asked again and again, for the others to have it.
      const isLast = pass >= passes - 2
      const missing = party.routes.filter(
        ({ key, path, method, weight }) =>
          !path.startsWith('/v1/operator/') &&
          (isLast || (method !== 'DELETE' && weight > 0.05)) &&
          (!routesAsked.get(key)?.ok || (method === 'POST' && !isLast)),
      )
      for (const route of missing) {
        const person = hunter.standing(/\/(sign-out|sessions|password)/.test(route.path) ? 'member' : 'owner')
        const call = makeCall(route, person, { random, side: hunter, collectionOf })
        const answer = await ask(kernel, call)
        const what = judge(call, answer, { hunter, prey, rules })
        if (what !== undefined)
          findings.push({ what: `${what}: ${answer.status} ${answer.text.slice(0, 300)}`, call: show(call) })
        count(party, call, answer)
        remember(party, hunter, call, answer)
        // The next routes are its owner's again.
        if (route.path === '/v1/tenant/ownership') await scene.restore(kernel)
        made += 1
      }
    }
  }
  await scene.restore(kernel)
  return made
}

interface Batch {
  readonly hunter: Side
  readonly prey: Side
  readonly layers: Layers
  readonly size: number
  readonly enough: number
}

async function huntBatch(party: Party, batch: Batch): Promise<Finding[]> {
  const { hunter, prey, size, enough } = batch
  const findings: Finding[] = []
  const changes: string[] = []
  await workDone(party.admin, prey.id)
  const before = await party.takeFingerprint(prey)
  const routes =
    batch.layers === 'statements alone'
      ? party.routes.filter(({ reliesOnPolicies }) => !reliesOnPolicies)
      : party.routes
  for (let sent = 0; sent < size && findings.length < enough; sent += atOnce) {
    const calls = Array.from({ length: Math.min(atOnce, size - sent) }, () =>
      chooseCall(party, batch, routes),
    )
    const answers = await Promise.all(calls.map((call) => ask(party.kernel, call)))
    for (const [at, call] of calls.entries()) {
      const answer = answers[at]
      if (!answer) continue
      count(party, call, answer)
      const what = judge(call, answer, { hunter, prey, rules: party.rules })
      if (what !== undefined)
        findings.push({ what: `${what}: ${answer.status} ${answer.text.slice(0, 300)}`, call: show(call) })
      if (answer.status < 300 && call.route.method !== 'GET' && call.swaps.length > 0)
        changes.push(show(call))
      // What should not have been told is not taken for the hunter's own.
      if (what === undefined) remember(party, hunter, call, answer)
    }
    for (const call of calls) {
      const told = await tellsApart(party.kernel, call)
      if (told !== undefined) findings.push({ what: told, call: show(call) })
    }
  }
  const changed = changedTables(before, await party.takeFingerprint(prey))
  if (changed.length > 0)
    findings.push({
      what: `rows of the other tenant changed: ${changed.join(', ')}`,
      call: changes.slice(-20).join('\n    '),
    })
  return findings
}

function chooseCall(party: Party, { hunter, prey }: Batch, routes: readonly HuntedRoute[]): Call {
  const { random, collectionOf } = party
  const call = makeCall(chooseRoute(routes, random), callerOf(hunter, random), {
    random,
    side: hunter,
    collectionOf,
  })
  const swaps = random.chance(swappedShare) ? 1 + Number(random.chance(0.2)) : 0
  for (let swap = 0; swap < swaps; swap += 1) swapOne(call, { random, hunter, prey, collectionOf })
  return call
}

function callerOf(side: Side, random: Random): Person {
  for (;;) {
    const person = side.person(random)
    if (person.standing !== 'guest') return person
  }
}

async function ask(kernel: Kernel, call: Call): Promise<Answer> {
  const reply = await kernel.inject(injectable(call))
  return { status: reply.statusCode, headers: reply.headers, text: reply.body }
}

function count({ routesAsked }: Party, { route, swaps, person }: Call, answer: Answer): void {
  const tally = routesAsked.get(route.key) ?? { ok: 0, all: 0, refusal: '' }
  if (answer.status < 300) tally.ok += 1
  else if (swaps.length === 0 && person.standing === 'owner')
    tally.refusal = `${likeness(answer)} ${answer.text.slice(0, 200)}`
  tally.all += 1
  routesAsked.set(route.key, tally)
}

function remember(party: Party, hunter: Side, call: Call, answer: Answer): void {
  if (answer.status >= 300) return
  learnFrom(party.routes, call, answer, hunter)
  // What the hunter has written down he may read again; an export writes down what was asked for.
  if (call.body !== undefined || call.route.path.endsWith('.csv'))
    for (const value of call.sent) hunter.told.add(value)
}

/** Whether an id of the other tenant is answered otherwise than one that nobody has: once more if so, alone. */
async function tellsApart(kernel: Kernel, call: Call): Promise<string | undefined> {
  if (call.unknownPath === undefined || call.swaps.length > 1) return undefined
  // Another request with the same key would be refused for that alone.
  const { 'idempotency-key': _key, ...headers } = call.headers
  const unknown = { ...call, headers, path: call.unknownPath }
  for (let attempt = 0; ; attempt += 1) {
    const theirs = likeness(await ask(kernel, call))
    const nobodys = likeness(await ask(kernel, unknown))
    if (theirs === nobodys) return undefined
    if (attempt > 0) return `answered ${theirs} for the other tenant's id, ${nobodys} for one that nobody has`
  }
}

/** What was asked less often, in a short hunt or for its weight, may have been unlucky. */
const enoughAsked = 60

/** Routes that were never answered with what they are for, although somebody of a tenant may ask them. */
export const unanswered = ({ routes }: HuntReport): string[] =>
  [...routes].flatMap(([key, { ok, all, refusal }]) =>
    ok > 0 || all < enoughAsked || key.includes(' /v1/operator/') || unansweredHere.has(key)
      ? []
      : [`${key}: ${refusal}`],
  )

// Every route of both documents in turns, each time with one hostile value: whatever is sent, no answer is a 5xx.
import type { Kernel } from '../../../kernel/src/kernel.ts'
import { operatorToken } from '../../support/operator.ts'
import { type Call, injectable, makeCall, urlOf } from './call.ts'
import { spoil } from './hostile-values.ts'
import { huntedRoutes } from './hunted-routes.ts'
import { randomFrom } from './random.ts'
import { collectionsOf, hunt } from './run-hunt.ts'
import type { Scene } from './scene.ts'

export interface HostileReport {
  readonly calls: number
  readonly seconds: number
  /** By status. */
  readonly answers: ReadonlyMap<number, number>
  readonly failures: readonly string[]
}

/** There is no registry to ask. */
const saysWhatIsAway = /"code":"REGISTRY_UNAVAILABLE"/
const restoreEvery = 400
const shown = 300

const show = (call: Call, place: string, status: number, text: string): string =>
  `${status} ${text.slice(0, shown)}\n    ${call.route.method} ${JSON.stringify(urlOf(call)).slice(0, shown)} (${place}) ${(JSON.stringify(call.body) ?? '').slice(0, shown)}`

export async function sendHostile(
  kernel: Kernel,
  scene: Scene,
  {
    seed,
    calls,
    print,
  }: { readonly seed: number; readonly calls: number; readonly print: (line: string) => void },
): Promise<HostileReport> {
  // So that there is something of everything.
  await hunt(kernel, scene, { seed, calls: 0 })
  const started = performance.now()
  const random = randomFrom(seed)
  const routes = await huntedRoutes(kernel, scene)
  const collectionOf = collectionsOf(scene.manifestsOf(kernel))
  const answers = new Map<number, number>()
  const failures: string[] = []
  const [side] = scene.sides
  for (let made = 0; made < calls; made += 1) {
    const route = routes[made % routes.length]
    if (!route) break
    const isOperators = route.path.startsWith('/v1/operator/')
    // Who changes his password or signs out is not needed for anything else.
    const isPersonal = /\/(sign-out|sessions|password|totp|passkeys|recovery-codes)/.test(route.path)
    const person = side.standing(isPersonal ? 'member' : 'owner')
    const call = makeCall(route, isOperators ? { ...person, token: operatorToken } : person, {
      random,
      side,
      collectionOf,
    })
    if (isOperators) {
      delete call.headers['x-tenant-id']
      // What an operator does to tenants and plugins ends the game for everybody.
      if (route.method !== 'GET') call.path = route.path.replace(/\{[^}]+\}/g, 'nobody')
    }
    const place = spoil(call, random)
    const reply = await kernel.inject(injectable(call))
    answers.set(reply.statusCode, (answers.get(reply.statusCode) ?? 0) + 1)
    if (reply.statusCode >= 500 && !saysWhatIsAway.test(reply.body)) {
      failures.push(show(call, place, reply.statusCode, reply.body))
      print(failures.at(-1) ?? '')
    }
    if (made % restoreEvery === restoreEvery - 1) await scene.restore(kernel)
  }
  return { calls, seconds: (performance.now() - started) / 1_000, answers, failures }
}

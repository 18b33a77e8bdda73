// Which declarations could never work. One sentence each, naming the thing, the value and where possible the fix.
// Takes the shape for granted: the kernel parses what comes out of the sandbox before it asks here.

import { checkFields, isKey, ownField } from './check-fields.ts'
import { checkJobs, checkSubscriptions } from './check-jobs.ts'
import { checkNeeds } from './check-needs.ts'
import { didYouMean } from './did-you-mean.ts'
import { KERNEL_AREAS } from './kernel-areas.ts'
import type { ActionSpec, EntitySpec, FieldSpecs, Manifest } from './manifest.ts'

/** Of a role's unknown permissions, how many are named: a manifest may list thousands. */
const MOST_NAMED = 20
// `route.x` is the permission of a route, and `number_series` a table the kernel makes in every plugin's schema.
const TAKEN_ENTITIES = ['route', 'numberSeries']
const GENERIC = ['create', 'read', 'update', 'delete']

/**
 * One sentence for each declaration that could never work; none when all could. `manifest` must have the shape of one.
 * `manifestOf` throws these; the kernel asks again about what came out of the sandbox.
 */
export function checkManifest(manifest: Manifest): string[] {
  return [
    ...checkName(manifest),
    ...checkNeeds(manifest.needs),
    ...checkKeys(manifest),
    ...Object.entries(manifest.entities).flatMap(([key, entity]) => checkEntity(manifest, key, entity)),
    ...checkTables(manifest),
    ...checkActions(manifest),
    ...checkRoutes(manifest),
    ...checkValues(manifest),
    ...checkHooks(manifest),
    ...checkErrors(manifest),
    ...checkSubscriptions(manifest),
    ...checkJobs(manifest),
    ...checkRoles(manifest),
  ]
}

function checkName({ name, title, uses }: Manifest): string[] {
  const wrong: string[] = []
  if (!/^[a-z][a-z0-9]{1,30}$/.test(name))
    wrong.push(`Its name may only have small letters and digits, 2 to 31 of them.`)
  if (KERNEL_AREAS.includes(name)) wrong.push(`The kernel uses the name '${name}' itself.`)
  if (typeof title !== 'string' || title.trim() === '') wrong.push(`It has no title.`)
  if (Object.hasOwn(uses, name)) wrong.push(`It uses itself.`)
  return wrong
}

function checkKeys(manifest: Manifest): string[] {
  const named = {
    entity: manifest.entities,
    route: manifest.routes,
    service: manifest.services,
    job: manifest.jobs,
    role: manifest.roles,
  }
  return Object.entries(named).flatMap(([kind, things]) =>
    Object.keys(things)
      .filter((key) => !isKey(key) || (kind === 'entity' && TAKEN_ENTITIES.includes(key)))
      .map(
        (key) =>
          `The ${kind} '${key}' has a bad name: small letter first, then letters and digits, and not one the kernel uses.`,
      ),
  )
}

function checkEntity(manifest: Manifest, key: string, entity: EntitySpec): string[] {
  const wrong = checkFields(`entity '${key}'`, entity.fields, 'entity', Object.keys(manifest.entities))
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(entity.path)) {
    wrong.push(`The path '${entity.path}' of entity '${key}' must be small letters and hyphens.`)
  }
  const states = statesOf(entity)
  for (const state of entity.immutableIn.filter((state) => !states.includes(state))) {
    wrong.push(`Entity '${key}' is immutable in an unknown state '${state}'.${didYouMean(state, states)}`)
  }
  for (const field of entity.indexes.flat()) {
    const kind = ownField(entity.fields, field)?.kind
    if (!kind) {
      wrong.push(
        `Entity '${key}' has an index on an unknown field '${field}'.${didYouMean(field, Object.keys(entity.fields))}`,
      )
    } else if (kind === 'lines') wrong.push(`Entity '${key}' cannot have an index on its lines '${field}'.`)
  }
  const unit = entity.scope?.unit
  if (unit !== undefined && ownField(entity.fields, unit)?.kind !== 'ref')
    wrong.push(`Entity '${key}' takes its unit from '${unit}', which is no reference among its fields.`)
  return wrong
}

/** Two things in one place: entities with one path, or lines with the table name of another entity. */
function checkTables({ entities }: Manifest): string[] {
  const keys = Object.entries(entities)
  const lineTables = keys.flatMap(([key, entity]) =>
    Object.keys(entity.fields)
      .filter((field) => entity.fields[field]?.kind === 'lines')
      .map((field) => key + field.charAt(0).toUpperCase() + field.slice(1)),
  )
  return [
    ...keys.flatMap(([key, entity], index) =>
      keys
        .slice(0, index)
        .filter(([, earlier]) => earlier.path === entity.path)
        .map(([other]) => `Entities '${other}' and '${key}' have the same path '${entity.path}'.`),
    ),
    ...keys
      .filter(([key]) => lineTables.includes(key))
      .map(([key]) => `Entity '${key}' has the name of another entity's lines; they would share a table.`),
  ]
}

function checkActions({ actions, entities }: Manifest): string[] {
  return Object.entries(actions).flatMap(([key, ofEntity]) => {
    const entity = Object.hasOwn(entities, key) ? entities[key] : undefined
    if (!entity)
      return [`There are actions on an unknown entity '${key}'.${didYouMean(key, Object.keys(entities))}`]
    const states = statesOf(entity)
    return Object.entries(ofEntity).flatMap(([name, action]) => {
      const wrong = checkFields(`action '${key}.${name}'`, action.input, 'values', Object.keys(entities))
      if (!isKey(name)) wrong.push(`The action '${key}.${name}' has a bad name.`)
      if (GENERIC.includes(name))
        wrong.push(`The action '${key}.${name}' has the name of a permission that every entity has.`)
      if (action.to !== undefined && !states.includes(action.to)) {
        wrong.push(
          `The action '${key}.${name}' leads to an unknown state '${action.to}'.${didYouMean(action.to, states)}`,
        )
      }
      wrong.push(...checkApproval(`${key}.${name}`, action, entity, ofEntity))
      if (action.to === undefined && !action.run)
        wrong.push(`The action '${key}.${name}' does nothing: give it 'to' or 'run'.`)
      return wrong
    })
  })
}

function checkApproval(
  name: string,
  { approval }: ActionSpec,
  { fields }: EntitySpec,
  actions: Readonly<Record<string, ActionSpec>>,
): string[] {
  if (!approval) return []
  const { amount, unit, rejected } = approval
  const other = rejected !== undefined && Object.hasOwn(actions, rejected) ? actions[rejected] : undefined
  const wants = Object.values(other?.input ?? {}).some((one) => !one.optional && one.default === undefined)
  return [
    ...(amount === undefined || ownField(fields, amount)?.kind === 'money'
      ? []
      : [`The approval of '${name}' goes by the amount '${amount}', which is no money field of the entity.`]),
    ...(unit === undefined || ['ref', 'text'].includes(ownField(fields, unit)?.kind ?? '')
      ? []
      : [`The approval of '${name}' goes by the unit '${unit}', which is no reference of the entity.`]),
    ...(rejected === undefined || (other && !other.approval && !wants)
      ? []
      : [
          `The approval of '${name}' names '${rejected}' for a rejection: that must be an action of the entity without an approval of its own and without input that it requires.`,
        ]),
  ]
}

function checkRoutes({ routes, entities }: Manifest): string[] {
  const taken = new Map<string, string>()
  return Object.entries(routes).flatMap(([key, route]) => {
    const wrong = [
      ...checkFields(`route '${key}'`, route.query, 'values', Object.keys(entities)),
      ...checkFields(`route '${key}'`, route.input, 'values', Object.keys(entities)),
      ...checkFields(`the reply of route '${key}'`, route.returns ?? {}, 'values', Object.keys(entities)),
    ]
    if (!/^(\/[a-z][a-z0-9-]*)+$/.test(route.path)) {
      wrong.push(`The path '${route.path}' of route '${key}' must be like '/reports/trial-balance'.`)
    }
    const address = `${route.method} ${route.path}`
    const earlier = taken.get(address)
    if (earlier) wrong.push(`Routes '${earlier}' and '${key}' are both ${address}.`)
    taken.set(address, key)
    const entity = Object.keys(entities).find((name) => entities[name]?.path === route.path.split('/')[1])
    if (entity)
      wrong.push(`The path '${route.path}' of route '${key}' lies under that of entity '${entity}'.`)
    if (route.method === 'GET' && Object.keys(route.input).length > 0)
      wrong.push(`Route '${key}' is a GET: it takes 'query', not 'input'.`)
    if (route.method === 'POST' && Object.keys(route.query).length > 0)
      wrong.push(`Route '${key}' is a POST: it takes 'input', not 'query'.`)
    return wrong
  })
}

/** Settings, events and services: fields that are passed along and not stored. */
function checkValues({ settings, events, services, entities }: Manifest): string[] {
  const check = (owner: string, fields: FieldSpecs) =>
    checkFields(owner, fields, 'values', Object.keys(entities))
  return [
    ...check('the settings', settings),
    ...Object.entries(events).flatMap(([event, payload]) => [
      ...(/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)?$/.test(event)
        ? []
        : [`The event '${event}' has a bad name.`]),
      ...check(`event '${event}'`, payload),
    ]),
    ...Object.entries(services).flatMap(([service, { input, returns }]) => [
      ...check(`service '${service}'`, input),
      ...check(`the reply of service '${service}'`, returns ?? {}),
    ]),
  ]
}

const checkHooks = ({ hooks, entities }: Manifest) =>
  Object.keys(hooks)
    .filter((key) => !Object.hasOwn(entities, key))
    .map((key) => `There is a hook on an unknown entity '${key}'.${didYouMean(key, Object.keys(entities))}`)

const checkErrors = ({ errors }: Manifest) =>
  Object.entries(errors).flatMap(([code, { status, message }]) => [
    ...(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code)
      ? []
      : [`The error '${code}' must be in capitals, like PERIOD_LOCKED.`]),
    ...([400, 403, 404, 409, 422].includes(status)
      ? []
      : [`The error '${code}' has the status ${status}: use 400, 403, 404, 409 or 422.`]),
    ...(typeof message === 'string' && message.trim() !== '' ? [] : [`The error '${code}' has no message.`]),
  ])

function checkRoles({ roles, entities, actions, routes }: Manifest): string[] {
  const known = [
    '*',
    'route.*',
    ...Object.keys(routes).map((route) => `route.${route}`),
    ...Object.keys(entities).flatMap((key) => [
      `${key}.*`,
      ...[...GENERIC, ...Object.keys(actions[key] ?? {})].map((action) => `${key}.${action}`),
    ]),
  ]
  const isKnown = new Set(known)
  return Object.entries(roles).flatMap(([role, { can }]) =>
    can
      .map((rule) => (typeof rule === 'string' ? rule : rule.permission))
      .filter((permission) => !isKnown.has(permission))
      .slice(0, MOST_NAMED)
      .map(
        (permission) =>
          `The role '${role}' has an unknown permission '${permission}'.${didYouMean(permission, known)}`,
      ),
  )
}

const statesOf = (entity: EntitySpec) =>
  Object.values(entity.fields).flatMap((field) => Object.keys(field.transitions ?? {}))

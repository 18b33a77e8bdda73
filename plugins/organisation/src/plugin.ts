// The organisation on one screen: what it keeps, what can be asked of it, and who may.

import { definePlugin, t } from '@plinth/sdk'
import { checkAssignment, checkPlacement, checkPosition, checkReportingLine, checkUnit } from './checks.ts'
import { assignment } from './entities/assignment.ts'
import { placement } from './entities/placement.ts'
import { position } from './entities/position.ts'
import { reportingLine } from './entities/reporting-line.ts'
import { tree } from './entities/tree.ts'
import { unit } from './entities/unit.ts'
import { moveFrom } from './moves.ts'
import { chartOn, holdersOf, positionsOf, superiorsOf, teamOf } from './people.ts'
import { refusals } from './refusals.ts'
import { pathOn, treeOn, unitsOf } from './units.ts'

const person = t.text().range(1, 64)
const on = t.date().optional()
const people = t.lines({ person })
const unitFields = {
  id: t.ref('unit'),
  code: t.text(),
  name: t.text(),
  kind: t.text(),
  parent: t.ref('unit').optional(),
  depth: t.int(),
}
const positionFields = {
  id: t.ref('position'),
  code: t.text(),
  title: t.text(),
  unit: t.ref('unit'),
  parent: t.ref('position').optional(),
  depth: t.int(),
  people,
}
const superiorFields = { position: t.ref('position'), level: t.int(), people }

const asLines = (ids: readonly string[]) => ids.map((id) => ({ person: id }))

export default definePlugin({
  name: 'organisation',
  title: 'Organisation',
  needs: { sql: 'write' },
  entities: { unit, placement, position, reportingLine, assignment, tree },
  errors: refusals,
  hooks: {
    unit: { validate: checkUnit },
    placement: { validate: checkPlacement },
    position: { validate: checkPosition },
    reportingLine: { validate: checkReportingLine },
    assignment: { validate: checkAssignment },
  },
  actions: {
    unit: {
      move: {
        title: 'Move from a day on',
        input: { parent: t.ref('unit').optional(), on: t.date() },
        async run({ entities: { placement } }, unit, { parent, on }) {
          await moveFrom(on, parent, unit, {
            all: placement.each({ unit: unit.id }),
            create: (link) => placement.create({ unit: unit.id, ...link }),
            change: (id, changes) => placement.update(id, changes),
            delete: (id) => placement.delete(id),
          })
        },
      },
    },
    position: {
      report: {
        title: 'Report to another from a day on',
        input: { manager: t.ref('position').optional(), on: t.date() },
        async run({ entities: { reportingLine } }, position, { manager, on }) {
          await moveFrom(on, manager, position, {
            all: reportingLine.each({ position: position.id }),
            create: ({ parent, ...days }) =>
              reportingLine.create({ position: position.id, manager: parent, ...days }),
            change: (id, { parent, ...days }) =>
              reportingLine.update(id, { ...days, ...(parent === undefined ? {} : { manager: parent }) }),
            delete: (id) => reportingLine.delete(id),
          })
        },
      },
    },
  },
  services: {
    unitsOf: {
      input: { person, on },
      run: (ctx, { person, on = ctx.today }) => unitsOf(ctx, person, on),
    },
    teamOf: {
      input: { person, on },
      run: async (ctx, { person, on = ctx.today }) => ({ people: await teamOf(ctx, person, on) }),
    },
    positionsOf: {
      input: { person, on },
      run: async (ctx, { person, on = ctx.today }) => ({ positions: await positionsOf(ctx, person, on) }),
    },
    holdersOf: {
      input: { position: t.ref('position'), on },
      run: async (ctx, { position, on = ctx.today }) => ({ people: await holdersOf(ctx, position, on) }),
    },
    superiorsOf: {
      input: { person, on },
      run: async (ctx, { person, on = ctx.today }) => ({ superiors: await superiorsOf(ctx, person, on) }),
    },
    pathOf: {
      input: { unit: t.ref('unit'), on },
      run: async (ctx, { unit, on = ctx.today }) => ({ units: await pathOn(ctx, unit, on) }),
    },
  },
  routes: {
    tree: {
      title: 'The units on a day, each after the one it belongs to',
      method: 'GET',
      path: '/tree',
      query: { on, root: t.ref('unit').optional() },
      returns: { on: t.date(), units: t.lines(unitFields) },
      run: async (ctx, { on = ctx.today, root }) => ({ on, units: await treeOn(ctx, on, root) }),
    },
    path: {
      title: 'From the root to a unit on a day',
      method: 'GET',
      path: '/path',
      query: { unit: t.ref('unit'), on },
      returns: { on: t.date(), units: t.lines({ unit: t.ref('unit') }) },
      run: async (ctx, { unit, on = ctx.today }) => ({
        on,
        units: (await pathOn(ctx, unit, on)).map((id) => ({ unit: id })),
      }),
    },
    orgChart: {
      title: 'The positions on a day and who holds them, each after the one it reports to',
      method: 'GET',
      path: '/org-chart',
      query: { on, root: t.ref('position').optional() },
      returns: { on: t.date(), positions: t.lines(positionFields) },
      async run(ctx, { on = ctx.today, root }) {
        const positions = await chartOn(ctx, on, root)
        return { on, positions: positions.map((one) => ({ ...one, people: asLines(one.people) })) }
      },
    },
    myUnits: {
      title: 'The units in which I hold a position, and all below them',
      method: 'GET',
      path: '/my-units',
      query: { on },
      returns: { on: t.date(), units: t.lines({ unit: t.ref('unit'), own: t.bool() }) },
      async run(ctx, { on = ctx.today }) {
        const { own, below } = await unitsOf(ctx, ctx.user.id, on)
        return { on, units: below.map((unit) => ({ unit, own: own.includes(unit) })) }
      },
    },
    myTeam: {
      title: 'Who reports to me, directly or through others',
      method: 'GET',
      path: '/my-team',
      query: { on },
      returns: { on: t.date(), people },
      run: async (ctx, { on = ctx.today }) => ({ on, people: asLines(await teamOf(ctx, ctx.user.id, on)) }),
    },
    superiors: {
      title: 'To whom a person reports, nearest first; me unless another is named',
      method: 'GET',
      path: '/superiors',
      query: { person: person.optional(), on },
      returns: { on: t.date(), superiors: t.lines(superiorFields) },
      async run(ctx, { person = ctx.user.id, on = ctx.today }) {
        const superiors = await superiorsOf(ctx, person, on)
        return { on, superiors: superiors.map((one) => ({ ...one, people: asLines(one.people) })) }
      },
    },
  },
  roles: {
    member: {
      title: 'Member',
      can: [
        'unit.read',
        'placement.read',
        'position.read',
        'reportingLine.read',
        'assignment.read',
        'route.*',
      ],
    },
    organiser: { title: 'Organiser', can: ['*'] },
  },
})

// ctx.approvals: asking, and what happens to the record when people have decided.
import { answers, type Case, type Reply, refuses, type Step } from '../case.ts'

const chain: Step = {
  path: 'tenant/approval-chains',
  body: {
    code: 'members',
    title: 'Members agree',
    module: 'subject',
    entity: 'note',
    action: 'agree',
    steps: [{ title: 'A member', approvers: [{ role: 'member' }], need: 1 }],
  },
  status: 201,
}

const asking = `async (ctx) => {
  const note = await ctx.entities.note.create({ text: 'agreed' })
  const asked = await ctx.approvals.request({ entity: 'note', record: note.id, action: 'agree', input: { text: 'yes' } })
  const changed = await ctx.entities.note.update(note.id, { n: 5 })
  return { ...asked, note: note.id, version: changed.version }
}`

/** A field of what the case's handler answered. */
const answered = (before: readonly Reply[], field: string): string => {
  const body = before[1]?.body
  const answer = typeof body === 'object' && body !== null && 'answer' in body ? body.answer : undefined
  return typeof answer === 'object' && answer !== null
    ? String(Object.entries(answer).find(([name]) => name === field)?.[1])
    : ''
}

const decision = (before: readonly Reply[]) => `tenant/approvals/${answered(before, 'id')}/decision`
const note = (before: readonly Reply[]) => `subject/notes/${answered(before, 'note')}`

export const approvalCases: readonly Case[] = [
  answers('an approval that nobody has to give', asking, { state: 'notNeeded' }),
  {
    name: 'an approval that is given runs the action with its input',
    run: asking,
    steps: [
      chain,
      { status: 200, has: { answer: { state: 'open' } } },
      { path: decision, body: { decision: 'approve' }, status: 403 },
      {
        path: decision,
        body: { decision: 'approve' },
        as: 'member',
        status: 200,
        has: { state: 'approved' },
      },
      { method: 'GET', path: note, status: 200, has: { status: 'closed', text: 'agreed; yes', n: 5 } },
    ],
  },
  {
    name: 'an approval that is refused runs what the action names for that',
    run: asking,
    steps: [
      chain,
      { status: 200 },
      { path: decision, body: { decision: 'reject' }, as: 'member', status: 200, has: { state: 'rejected' } },
      { method: 'GET', path: note, status: 200, has: { status: 'void' } },
    ],
  },
  refuses(
    'an approval of an action that declares none',
    `async (ctx) => {
      const note = await ctx.entities.note.create({ text: 'a' })
      return ctx.approvals.request({ entity: 'note', record: note.id, action: 'close' })
    }`,
    502,
    'CAPABILITY_DENIED',
  ),
  refuses(
    'an approval of a record that is not there',
    `(ctx) => ctx.approvals.request({ entity: 'note', record: absentId, action: 'agree', input: { text: 'x' } })`,
    404,
    'RECORD_NOT_FOUND',
  ),
  refuses('an approval of nothing', `(ctx) => ctx.approvals.request()`, 502, 'CAPABILITY_DENIED'),
  answers('nothing in ctx decides', `(ctx) => Object.keys(ctx.approvals)`, ['request']),
]

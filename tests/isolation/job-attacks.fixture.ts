// Attacks on jobs: those of another tenant, those of somebody else, having done what one may not, and more of them, or
// larger ones, than there may be. Each makes what it needs, so that it can be made twice.
import type { Defence } from '../../kernel/src/defences.ts'
import type { Workshop } from '../support/job-lab.ts'
import type { Reply, Send } from '../support/kernel.ts'

export interface JobPlace {
  readonly own: Workshop
  /** A member of the same tenant. */
  readonly member: Send
  /** Owner of another tenant with the same module. */
  readonly enemy: Workshop
  /** Owner of a tenant that has no module. */
  readonly poor: Send
  /** A key of the owner's that reads what the tenant has used, and no jobs. */
  readonly key: Send
}

export interface JobAttack {
  readonly attack: string
  readonly defence: string
  /** Of status and body. */
  readonly expected: RegExp
  readonly run: (place: JobPlace) => Promise<Reply>
  readonly without?: readonly [
    Extract<Defence, 'jobTenant' | 'jobReaders' | 'jobRunners' | 'governor'>,
    RegExp,
  ]
}

const jobs = '/v1/tenant/jobs'
const hour = { delayMs: 3_600_000 }
const gone = /^{"status":404,.*"JOB_NOT_FOUND"/
const seen = /^{"status":200,.*"secret of/

const secret = (shop: Workshop) => shop.enqueue('note', { text: `secret of ${shop.slug}` }, hour)
const enqueue = (send: Send, job: string, input: unknown, options: object = {}) =>
  send('POST', '/v1/works/enqueue', { job, input: JSON.stringify(input), options: JSON.stringify(options) })

export const jobAttacks: readonly JobAttack[] = [
  {
    attack: 'reading a job of another tenant by its id',
    defence: 'jobTenant',
    expected: gone,
    without: ['jobTenant', seen],
    run: async ({ own, enemy }) => enemy.owner('GET', `${jobs}/${await secret(own)}`),
  },
  {
    attack: 'waiting for a job of another tenant',
    defence: 'jobTenant',
    expected: gone,
    without: ['jobTenant', seen],
    run: async ({ own, enemy }) => enemy.owner('GET', `${jobs}/${await secret(own)}?wait=1`),
  },
  {
    attack: 'cancelling a job of another tenant',
    defence: 'the tenant in each statement, twice',
    expected: gone,
    run: async ({ own, enemy }) => enemy.owner('POST', `${jobs}/${await secret(own)}/cancel`),
  },
  {
    attack: 'retrying a job of another tenant',
    defence: 'the tenant in each statement, twice',
    expected: gone,
    async run({ own, enemy }) {
      const id = await secret(own)
      await own.owner('POST', `${jobs}/${id}/cancel`)
      return enemy.owner('POST', `${jobs}/${id}/retry`)
    },
  },
  {
    attack: 'a cursor that is the id of another tenant’s job',
    defence: 'the tenant in each statement',
    expected: /^{"status":200,"body":{"items":\[\]}}$/,
    run: async ({ own, poor }) => poor('GET', `${jobs}?cursor=${await secret(own)}9`),
  },
  {
    attack: 'a unique key that another tenant uses, to be given its job',
    defence: 'keys are of a tenant',
    expected: /^{"status":200,"body":{"same":false}}$/,
    async run({ own, enemy }) {
      const first = await own.enqueue('note', { text: 'a' }, { ...hour, unique: 'shared' })
      const second = await enemy.enqueue('note', { text: 'b' }, { ...hour, unique: 'shared' })
      return { status: 200, body: { same: first === second }, headers: {} }
    },
  },
  {
    attack: 'a member reads a job of somebody else',
    defence: 'jobReaders',
    expected: gone,
    without: ['jobReaders', seen],
    run: async ({ own, member }) => member('GET', `${jobs}/${await secret(own)}`),
  },
  {
    attack: 'a member lists the jobs of everybody',
    defence: 'jobReaders',
    expected: /^{"status":200,"body":{"items":\[\]}}$/,
    without: ['jobReaders', seen],
    async run({ own, member }) {
      await secret(own)
      return member('GET', `${jobs}?mine=false&job=note`)
    },
  },
  {
    attack: 'a member cancels a job of somebody else',
    defence: 'jobReaders',
    expected: gone,
    without: ['jobReaders', /^{"status":200,.*"cancelled"/],
    run: async ({ own, member }) => member('POST', `${jobs}/${await secret(own)}/cancel`),
  },
  {
    attack: 'a member has a job done that no route offers him',
    defence: 'jobRunners',
    expected: /^{"status":403,.*"tenant.jobs.run"/,
    without: ['jobRunners', /^{"status":202/],
    run: ({ member }) =>
      member('POST', '/v1/tenant/modules/works/jobs/note', { input: { text: 'x' }, ...hour }),
  },
  {
    attack: 'a member has his own dead job tried again and again',
    defence: 'permissions of the tenant',
    expected: /^{"status":403,.*"tenant.jobs.manage"/,
    async run({ member }) {
      const { body } = await enqueue(member, 'note', { text: 'own' }, hour)
      await member('POST', `${jobs}/${String(body['id'])}/cancel`)
      return member('POST', `${jobs}/${String(body['id'])}/retry`)
    },
  },
  {
    attack: 'a member reads the schedules',
    defence: 'permissions of the tenant',
    expected: /^{"status":403,.*"tenant.jobs.read"/,
    run: ({ member }) => member('GET', '/v1/tenant/job-schedules'),
  },
  {
    attack: 'a key without the scope reads the jobs of its owner',
    defence: 'scopes',
    expected: /^{"status":403,.*"SCOPE_REQUIRED"/,
    run: ({ key }) => key('GET', jobs),
  },
  {
    attack: 'a key without the scope reads one job of its owner',
    defence: 'scopes',
    expected: gone,
    run: async ({ own, key }) => key('GET', `${jobs}/${await secret(own)}`),
  },
  {
    attack: 'a job of a module that the tenant does not have',
    defence: 'entitlement',
    expected: /^{"status":403,.*"MODULE_NOT_ENABLED"/,
    run: ({ poor }) => poor('POST', '/v1/tenant/modules/works/jobs/note', { input: { text: 'x' } }),
  },
  {
    attack: 'a plugin enqueues a job of another module by its full name',
    defence: 'the plugin’s own manifest',
    expected: /^{"status":502,.*"CAPABILITY_DENIED"/,
    run: ({ own }) => enqueue(own.owner, 'finance.close', {}),
  },
  {
    attack: 'a job whose name is on every object',
    defence: 'own keys of the manifest',
    expected: /^{"status":502,.*"CAPABILITY_DENIED"/,
    run: ({ own }) => enqueue(own.owner, '__proto__', {}),
  },
  {
    attack: 'an input with a prototype',
    defence: 'fields that are declared',
    expected: /^{"status":422,.*"VALIDATION_FAILED"/,
    run: ({ own }) =>
      own.owner('POST', '/v1/works/enqueue', { job: 'note', input: '{"text":"x","__proto__":{"n":1}}' }),
  },
  {
    attack: 'an input of 300 KB',
    defence: 'argument',
    expected:
      /^{"status":502,.*"LIMIT_EXCEEDED".*"argument"|^{"status":502,.*"argument".*"LIMIT_EXCEEDED"|^{"status":4(13|22)/,
    run: ({ own }) =>
      enqueue(own.owner, 'blob', { parts: Array.from({ length: 80 }, () => ({ text: 'x'.repeat(3_900) })) }),
  },
  {
    attack: 'an input of 100 KB, by hand',
    defence: 'the size of an input',
    expected: /^{"status":422,.*"TOO_LARGE"/,
    run: ({ own }) =>
      own.owner('POST', '/v1/tenant/modules/works/jobs/blob', {
        input: { parts: Array.from({ length: 26 }, () => ({ text: 'x'.repeat(3_900) })) },
      }),
  },
  {
    attack: 'an input that nests 10,000 deep, by hand',
    defence: 'fields that are declared',
    expected: /^{"status":4(00|22)/,
    run: ({ own }) =>
      own.owner(
        'POST',
        '/v1/tenant/modules/works/jobs/note',
        `{"input":{"text":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`,
        { 'content-type': 'application/json' },
      ),
  },
  {
    attack: 'a priority before all others',
    defence: 'the schema of the call',
    expected: /^{"status":502,.*"CAPABILITY_DENIED"/,
    run: ({ own }) => enqueue(own.owner, 'note', { text: 'x' }, { priority: -1e9 }),
  },
  {
    attack: 'a delay for ever',
    defence: 'the schema of the call',
    expected: /^{"status":502,.*"CAPABILITY_DENIED"/,
    run: ({ own }) => enqueue(own.owner, 'note', { text: 'x' }, { delayMs: 1e18 }),
  },
  {
    attack: 'an option that says whose job it is',
    defence: 'the schema of the call',
    expected: /^{"status":502,.*"CAPABILITY_DENIED"/,
    run: ({ own, enemy }) => enqueue(own.owner, 'note', { text: 'x' }, { tenant: enemy.id }),
  },
  {
    attack: 'a storm of 60 jobs in one request',
    defence: 'governor',
    expected: /^{"status":502,.*"limit":"jobs"/,
    without: ['governor', /^{"status":200/],
    run: ({ own }) => own.owner('POST', '/v1/works/storm', { count: 60 }),
  },
]

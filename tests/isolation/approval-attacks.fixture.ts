// Attacks on approvals: deciding on one's own request, twice, for another, on what has changed, from another tenant, with a
// key; and a module that asks for what is not its own. Each makes what it needs, so that it can be made twice.
import type { Defence } from '../../kernel/src/defences.ts'
import type { Reply, Send } from '../support/kernel.ts'
import { type Person, type PurchaseKernel, purchases } from '../support/purchases.ts'

/** The chain `usual` asks for one member; `two`, for purchases of 1,000 and more, for two. */
export interface ApprovalPlace extends PurchaseKernel {
  readonly clerk: Person
  readonly lead: Person
  /** An admin, whom no chain asks. */
  readonly stranger: Person
  /** Owner of another tenant with the same modules. */
  readonly enemy: Send
  readonly enemyPurchase: string
  /** An API key of the lead's. */
  readonly key: Send
}

export interface ApprovalAttack {
  readonly attack: string
  readonly defence: string
  /** Of status and body. */
  readonly expected: RegExp
  readonly run: (place: ApprovalPlace) => Promise<Reply>
  readonly without?: readonly [
    Extract<Defence, 'approverCheck' | 'approvalDuties' | 'approvedVersion'>,
    RegExp,
  ]
}

const approvals = '/v1/tenant/approvals'
const approved = /^{"status":200,.*"state":"approved"/

async function asked(
  { clerk, buy }: ApprovalPlace,
  amount = '10.00',
): Promise<{ id: string; purchase: string }> {
  const purchase = await buy(clerk.send, amount)
  const reply = await clerk.send('POST', `${purchases}/${purchase}/approve`)
  if (reply.status !== 202) throw new Error(JSON.stringify(reply.body))
  return { id: String(reply.body['approval']), purchase }
}

const approve = (send: Send, id: string, more: object = {}) =>
  send('POST', `${approvals}/${id}/decision`, { decision: 'approve', ...more })

const today = () => new Date().toISOString().slice(0, 10)

/** What the clerk's module asks the kernel for. */
const request =
  (ask: (place: ApprovalPlace) => { record: string; as?: string; action?: string }): ApprovalAttack['run'] =>
  async (place) => {
    const own = await place.buy(place.clerk.send, '10.00')
    const body = { as: 'purchase', action: 'approve', ...ask(place) }
    return place.clerk.send('POST', `${purchases}/${own}/ask-boss`, body)
  }

export const approvalAttacks: readonly ApprovalAttack[] = [
  {
    attack: 'who asked approves',
    defence: 'approvalDuties',
    expected: /"status":403,.*APPROVAL_OWN/,
    without: ['approvalDuties', approved],
    run: async (place) => approve(place.clerk.send, (await asked(place)).id),
  },
  {
    attack: 'who stands in for the one who asked approves in his place',
    defence: 'approvalDuties',
    expected: /"status":403,.*APPROVAL_OWN/,
    without: ['approvalDuties', approved],
    async run(place) {
      const away = { substitute: place.stranger.id, from: today(), to: today() }
      const absence = await place.clerk.send('POST', '/v1/tenant/absences', away)
      const reply = await approve(place.stranger.send, (await asked(place)).id)
      await place.clerk.send('DELETE', `/v1/tenant/absences/${String(absence.body['id'])}`)
      return reply
    },
  },
  {
    attack: 'one person approves twice where two are needed',
    defence: 'approvalDuties',
    expected: /"status":409,.*APPROVAL_DECIDED/,
    without: ['approvalDuties', approved],
    async run(place) {
      const { id } = await asked(place, '5000.00')
      await approve(place.lead.send, id)
      return approve(place.lead.send, id)
    },
  },
  {
    attack: 'an admin whom the chain does not ask approves',
    defence: 'approverCheck',
    expected: /"status":403,.*APPROVAL_NOT_YOURS/,
    without: ['approverCheck', approved],
    run: async (place) => approve(place.stranger.send, (await asked(place)).id),
  },
  {
    attack: 'a record is made dearer after it was requested',
    defence: 'approvedVersion',
    expected: /"status":409,.*APPROVAL_OUTDATED/,
    without: ['approvedVersion', approved],
    async run(place) {
      const { id, purchase } = await asked(place)
      await place.clerk.send('PATCH', `${purchases}/${purchase}`, {
        total: { amount: '999999.00', currency: 'USD' },
      })
      return approve(place.lead.send, id)
    },
  },
  {
    attack: 'the owner of another tenant approves by its id',
    defence: 'an approval is looked for in the tenant of the request',
    expected: /"status":404,.*APPROVAL_NOT_FOUND/,
    run: async (place) => approve(place.enemy, (await asked(place)).id),
  },
  {
    attack: 'the owner of another tenant reads it',
    defence: 'an approval is looked for in the tenant of the request',
    expected: /"status":404,.*APPROVAL_NOT_FOUND/,
    run: async (place) => place.enemy('GET', `${approvals}/${(await asked(place)).id}`),
  },
  {
    attack: 'the owner of another tenant lists all there are',
    defence: 'an approval is looked for in the tenant of the request',
    expected: /^{"status":200,"body":{"items":\[\]}}/,
    async run(place) {
      await asked(place)
      return place.enemy('GET', `${approvals}?box=all`)
    },
  },
  {
    attack: 'a decision says who makes it',
    defence: 'input is parsed against what is declared',
    expected: /"status":422,.*VALIDATION_FAILED/,
    run: async (place) => approve(place.stranger.send, (await asked(place)).id, { actor: place.lead.id }),
  },
  {
    attack: 'a decision says for whom it is made',
    defence: 'input is parsed against what is declared',
    expected: /"status":422,.*VALIDATION_FAILED/,
    run: async (place) => approve(place.stranger.send, (await asked(place)).id, { standsFor: place.lead.id }),
  },
  {
    attack: 'a person is made to stand in by somebody else',
    defence: 'tenant.approvals.manage',
    expected: /"status":403,.*FORBIDDEN/,
    run: (place) =>
      place.clerk.send('POST', '/v1/tenant/absences', {
        person: place.lead.id,
        substitute: place.clerk.id,
        from: today(),
        to: today(),
      }),
  },
  {
    attack: 'a key of the approver approves',
    defence: 'people decide, with all that is theirs',
    expected: /"status":403,.*(SCOPE_REQUIRED|PERSON_REQUIRED)/,
    run: async (place) => approve(place.key, (await asked(place)).id),
  },
  {
    attack: 'the state is set past the approval',
    defence: 'states are moved by actions',
    expected: /"status":422,.*VALIDATION_FAILED/,
    run: async (place) =>
      place.clerk.send('PATCH', `${purchases}/${(await asked(place)).purchase}`, { status: 'approved' }),
  },
  {
    attack: "a module asks for another tenant's record",
    defence: 'row level security and the tenant of the unit',
    expected: /"status":404,.*RECORD_NOT_FOUND/,
    run: request(({ enemyPurchase }) => ({ record: enemyPurchase })),
  },
  {
    attack: "a module asks for another module's entity",
    defence: 'a plugin has its own entities',
    expected: /"status":502,.*CAPABILITY_DENIED/,
    run: request(({ enemyPurchase }) => ({ record: enemyPurchase, as: 'unit', action: 'move' })),
  },
  {
    attack: 'a module asks for an action that declares no approval',
    defence: 'what the manifest declares',
    expected: /"status":502,.*CAPABILITY_DENIED/,
    run: request(({ enemyPurchase }) => ({ record: enemyPurchase, action: 'decline' })),
  },
  {
    attack: 'a module asks for an action by the name of what every object has',
    defence: 'what the manifest declares',
    expected: /"status":502,.*CAPABILITY_DENIED/,
    run: request(({ enemyPurchase }) => ({ record: enemyPurchase, as: '__proto__', action: 'constructor' })),
  },
]

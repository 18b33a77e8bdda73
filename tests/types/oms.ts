// Another plugin's contract, as it would publish it.

import type { Id, Money } from '@plinth/sdk'

export type Oms = {
  events: { 'order.fulfilled': { order: Id<'oms.order'> } }
  services: {
    billFor(input: { order: Id<'oms.order'> }): Promise<{
      account: Id<'crm.account'>
      lines: { item: string; quantity: string; price: Money }[]
    }>
  }
}

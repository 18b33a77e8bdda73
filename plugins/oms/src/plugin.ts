// Orders on one screen: what they keep, what can be done with it, and who may.

import type { Finance } from '@plinth/finance/contract'
import { definePlugin, t, use } from '@plinth/sdk'
import { item } from './entities/item.ts'
import { order } from './entities/order.ts'
import { stock } from './entities/stock.ts'
import { stockMove } from './entities/stock-move.ts'
import { checkMove, refuseByHand } from './moves.ts'
import { cancel, checkOrder, confirm, ship, soldIn } from './orders.ts'
import { checkPrice } from './quantities.ts'
import { correct, receive } from './receipts.ts'
import { refusals } from './refusals.ts'

const account = t.ref('finance.account').optional()
const movedFields = {
  item: t.ref('item'),
  move: t.ref('stockMove'),
  onHand: t.decimal(),
  reserved: t.decimal(),
  value: t.money(),
  entry: t.ref('finance.journalEntry').optional(),
}
const soldFields = {
  item: t.ref('item'),
  sku: t.text(),
  name: t.text(),
  quantity: t.decimal(),
  price: t.money(),
  amount: t.money(),
}

export default definePlugin({
  name: 'oms',
  title: 'Orders',
  uses: { finance: use<Finance>('^0.1') },
  needs: { sql: 'write' },
  settings: {
    // An order ships when these two are set.
    inventoryAccount: account,
    costAccount: account,
    // Goods received and not invoiced yet; what counts find. Not booked where they are not set.
    receiptAccount: account,
    correctionAccount: account,
  },
  entities: { item, stock, stockMove, order },
  events: {
    'order.confirmed': { order: t.ref('order'), customer: t.text(), total: t.money() },
    'order.shipped': {
      order: t.ref('order'),
      number: t.text(),
      customer: t.text(),
      date: t.date(),
      lines: t.lines(soldFields),
      total: t.money(),
    },
    'order.cancelled': { order: t.ref('order'), number: t.text().optional() },
  },
  errors: refusals,
  hooks: {
    item: { validate: (_ctx, { price }) => checkPrice(price, 'price') },
    stock: { validate: refuseByHand },
    stockMove: { validate: checkMove },
    order: { validate: checkOrder },
  },
  actions: {
    order: {
      confirm: {
        title: 'Confirm',
        to: 'confirmed',
        async run(ctx, order) {
          const confirmed = await confirm(ctx, order)
          const { customer } = order
          await ctx.emit('order.confirmed', { order: order.id, customer, total: confirmed.total })
          return confirmed
        },
      },
      ship: {
        title: 'Ship',
        to: 'shipped',
        input: { date: t.date().optional() },
        async run(ctx, order, { date = ctx.today }) {
          const shipped = await ship(ctx, order, date)
          await ctx.emit('order.shipped', { ...(await soldIn(ctx, order)), date })
          return shipped
        },
      },
      cancel: {
        title: 'Cancel',
        to: 'cancelled',
        input: { reason: t.text().range(1, 500).optional() },
        async run(ctx, order, input) {
          await cancel(ctx, order)
          await ctx.emit('order.cancelled', { order: order.id, number: order.number })
          return input
        },
      },
    },
  },
  routes: {
    receive: {
      title: 'Receive goods',
      method: 'POST',
      path: '/receipts',
      input: {
        item: t.ref('item'),
        quantity: t.decimal(),
        unitCost: t.money(),
        date: t.date().optional(),
        reference: t.text().range(1, 200).optional(),
      },
      returns: movedFields,
      run: receive,
    },
    correct: {
      title: 'Correct the stock after a count',
      method: 'POST',
      path: '/corrections',
      input: {
        item: t.ref('item'),
        quantity: t.decimal(),
        reason: t.text().range(1, 200),
        date: t.date().optional(),
      },
      returns: movedFields,
      run: correct,
    },
  },
  roles: {
    member: { title: 'Member', can: ['item.read', 'stock.read', 'order.read'] },
    sales: {
      title: 'Sales',
      can: [
        'item.read',
        'stock.read',
        'stockMove.read',
        'stockMove.create',
        'order.read',
        'order.create',
        'order.update',
        'order.delete',
        'order.confirm',
        'order.cancel',
      ],
    },
    warehouse: {
      title: 'Warehouse',
      can: [
        'item.read',
        'stock.read',
        'stockMove.read',
        'stockMove.create',
        'order.read',
        'order.ship',
        'route.receive',
        'route.correct',
      ],
    },
    manager: { title: 'Manager', can: ['*'] },
  },
})

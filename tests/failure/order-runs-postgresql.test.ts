// Orders while kernels, hosts and PostgreSQL are killed at random, with the turns in PostgreSQL.
import t from 'tap'
import { askedOrders, ordersUnderFire } from '../support/orders-under-fire.ts'

t.test('every order that was shipped is booked once and invoiced once, whatever was killed', (t) =>
  ordersUnderFire(t, { store: 'postgresql', ...askedOrders(30) }),
)

// Orders while kernels, hosts, PostgreSQL and Redis are killed at random, with the turns in Redis.
import t from 'tap'
import { askedOrders, ordersUnderFire } from '../support/orders-under-fire.ts'

t.test('every order that was shipped is booked once and invoiced once, whatever was killed', (t) =>
  ordersUnderFire(t, { store: 'redis', ...askedOrders(30) }),
)

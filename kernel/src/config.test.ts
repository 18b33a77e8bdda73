// The settings: what is not one is refused by name, what only looks like one is let pass.
import t from 'tap'
import { loadConfig } from './config.ts'

t.test('what Kubernetes says of services is not a setting', async (t) => {
  const links = {
    PLINTH_SERVICE_HOST: '10.0.0.1',
    PLINTH_SERVICE_PORT: '3000',
    PLINTH_SERVICE_PORT_HTTP: '3000',
    PLINTH_PORT: 'tcp://10.0.0.1:3000',
    PLINTH_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
    PLINTH_PORT_3000_TCP_PROTO: 'tcp',
    PLINTH_PORT_3000_TCP_PORT: '3000',
    PLINTH_PORT_3000_TCP_ADDR: '10.0.0.1',
    PLINTH_DB_SERVICE_HOST: '10.0.0.2',
    PLINTH_DB_PORT: 'tcp://10.0.0.2:5432',
  }
  t.same(loadConfig(links), loadConfig({}))
})

t.test('a name that is meant as a setting and is none is refused', async (t) => {
  for (const [name, value] of [
    ['PLINTH_PORT', '3000'],
    ['PLINTH_POOLSIZE', '3'],
    ['PLINTH_HOST', '0.0.0.0'],
  ] as const) {
    t.throws(() => loadConfig({ [name]: value }), { message: new RegExp(`${name} is not a setting`) })
  }
})

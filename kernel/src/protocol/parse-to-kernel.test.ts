import t from 'tap'
import { ProtocolViolation } from './codec.ts'
import { parseToKernel } from './parse-to-kernel.ts'

t.test('what an honest host says is understood', async (t) => {
  const failed = (failure: object) => ({ type: 'failed', invocation: 1, cpuMs: 0.5, failure })
  for (const message of [
    { type: 'ready', protocol: 1 },
    { type: 'loaded' },
    { type: 'described' },
    { type: 'refused', reason: 'no plugin' },
    { type: 'pong', isolates: 3 },
    { type: 'call', invocation: 1, call: 2, name: 'entities.get' },
    { type: 'done', invocation: 1, cpuMs: 0 },
    failed({ kind: 'threw', message: 'x', stack: '' }),
    failed({ kind: 'refused', code: 'PERIOD_LOCKED' }),
    failed({ kind: 'call', call: 3 }),
    failed({ kind: 'limit', limit: 'cpu', used: 251.5, cap: 250 }),
    failed({ kind: 'lost' }),
  ]) {
    t.same(parseToKernel(JSON.stringify(message)), message, JSON.stringify(message))
  }
})

t.test('what no honest host says is a violation', async (t) => {
  const call = '"type":"call","invocation":1,"call":2,"name":"entities.get"'
  for (const header of [
    '',
    '{',
    'null',
    '[]',
    '"ready"',
    '{}',
    '{"type":"toString"}',
    '{"type":"__proto__"}',
    '{"type":["call"]}',
    '{"type":"pong"}',
    '{"type":"pong","isolates":-1}',
    '{"__proto__":{"type":"loaded"}}',
    '{"type":"loaded","__proto__":{"x":1}}',
    '{"type":"loaded","more":1}',
    '{"type":"pong","isolates":1,"more":1}',
    '{"type":"ready","protocol":"1"}',
    '{"type":"ready"}',
    `{${call},"tenant":"b"}`,
    '{"type":"call","invocation":-1,"call":2,"name":"entities.get"}',
    '{"type":"call","invocation":1.5,"call":2,"name":"entities.get"}',
    '{"type":"call","invocation":1e300,"call":2,"name":"entities.get"}',
    '{"type":"call","invocation":1,"call":2,"name":"constructor"}',
    '{"type":"call","invocation":1,"call":2,"name":"sql.drop"}',
    '{"type":"call","invocation":1,"call":2}',
    '{"type":"done","invocation":1,"cpuMs":-1}',
    '{"type":"done","invocation":1,"cpuMs":null}',
    '{"type":"failed","invocation":1,"cpuMs":1}',
    '{"type":"failed","invocation":1,"cpuMs":1,"failure":null}',
    '{"type":"failed","invocation":1,"cpuMs":1,"failure":{"kind":"call"}}',
    '{"type":"failed","invocation":1,"cpuMs":1,"failure":{"kind":"refused","code":"<script>"}}',
    '{"type":"failed","invocation":1,"cpuMs":1,"failure":{"kind":"limit","limit":"patience","used":1,"cap":1}}',
    `{"type":"refused","reason":"${'x'.repeat(20_000)}"}`,
  ]) {
    t.throws(() => parseToKernel(header), ProtocolViolation, header.slice(0, 80))
  }
})

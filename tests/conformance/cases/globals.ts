// The globals of a plugin: the language, and what the guest provides beside it.
import { answers, type Case, refuses } from '../case.ts'

export const globalCases: readonly Case[] = [
  answers(
    'the globals of the language, and no others',
    `() => Object.getOwnPropertyNames(globalThis).filter((name) => name !== '__plinthPlugin').sort()`,
    undefined,
  ),
  answers(
    'the language as it is',
    `() => [typeof process, typeof require, typeof setTimeout, typeof fetch, typeof WebAssembly, typeof Intl, typeof Atomics, typeof ArrayBuffer.prototype.resize, Error.stackTraceLimit, typeof Function('return this')().process]`,
    undefined,
  ),
  answers(
    'structuredClone and queueMicrotask',
    `async () => { const map = structuredClone(new Map([['a', new Date(0)]])); const order = []; await new Promise((done) => { queueMicrotask(() => { order.push('b'); done() }); order.push('a') }); return [map.get('a').getTime(), map instanceof Map, order] }`,
    [0, true, ['a', 'b']],
  ),
  answers(
    'URL and URLSearchParams',
    `() => { const u = new URL('../x?q=1#f', 'https://User@Example.com:443/a/b/c'); u.searchParams.append('k', 'é &'); return [u.href, u.host, [...u.searchParams], URL.canParse('nonsense'), new URL('https://münchen.example/ß').href] }`,
    ['https://User@example.com/a/x?q=1&k=%C3%A9+%26#f', 'example.com'],
  ),
  refuses('a URL that is none', `() => new URL('nonsense').href`, 502, 'PLUGIN_FAILED'),
  answers(
    'texts as bytes and back',
    `() => [[...new TextEncoder().encode('é😀')], new TextDecoder().decode(new Uint8Array([0xc3, 0xa9, 0xff])), btoa('hé'), atob('aOk=')]`,
    [[195, 169, 240, 159, 152, 128], 'é\ufffd', 'aOk=', 'hé'],
  ),
  answers(
    'random values have their shape and do not come twice',
    `() => { const ids = Array.from({ length: 50 }, () => crypto.randomUUID()); const bytes = crypto.getRandomValues(new Uint8Array(32)); return [new Set(ids).size, ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)), bytes.some((byte) => byte > 0), Math.random() !== Math.random()] }`,
    [50, true, true, true],
  ),
  {
    name: 'random values of one tenant are not those of another, nor of the next request',
    run: '() => crypto.randomUUID()',
    steps: [{ status: 200 }, { status: 200, as: 'neighbour' }, { status: 200 }],
  },
  answers(
    'digests',
    `async () => [new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')))[0], hash('sha256', 'abc'), hmac('sha256', 'key', 'abc')]`,
    [0xba, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ),
  answers(
    'events and what can be aborted',
    `() => { const control = new AbortController(); const seen = []; control.signal.addEventListener('abort', ({ type }) => seen.push(type)); control.abort(); return [seen, control.signal.reason.name, control.signal.reason instanceof DOMException, AbortSignal.abort('why').reason] }`,
    [['abort'], 'AbortError', true, 'why'],
  ),
  answers(
    'the clock has whole milliseconds',
    `() => [Number.isInteger(performance.now()), Number.isInteger(performance.timeOrigin), performance.now() >= 0]`,
    [true, true, true],
  ),
  answers('where a stack points', `() => /plinth:plugin:\\d+:\\d+/.test(new Error('x').stack)`, true),
]

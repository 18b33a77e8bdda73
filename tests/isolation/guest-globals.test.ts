// The globals of the sandbox against Node's own: the same code runs here and in an isolate, and the answers are equal.
import fc from 'fast-check'
import t from 'tap'
import { guestRunner } from '../support/guest-runner.ts'

/** Each is an expression. What it throws is compared by the kind of the error. */
const expressions = [
  'new TextEncoder().encode("aé€😀\\ud800x").join()',
  'new TextEncoder().encode().length',
  'JSON.stringify(new TextEncoder().encodeInto("aé€😀", new Uint8Array(5)))',
  'new TextDecoder().decode(new Uint8Array([239, 187, 191, 97]))',
  'new TextDecoder("utf8", { ignoreBOM: true }).decode(new Uint8Array([239, 187, 191, 97])).length',
  'new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255]))',
  'new TextDecoder("no-such-encoding")',
  'new TextDecoder().decode(new Uint16Array([0x6161, 0x6262]).subarray(1))',
  '(() => { const d = new TextDecoder(); return d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) + "|" + d.decode(new Uint8Array([0xac])) })()',
  'btoa("hello") + btoa("") + btoa("\\xff")',
  'btoa("€")',
  'atob(" aGVs bG8=\\n") + atob("") + atob("YQ")',
  'atob("a")',
  'atob("a===")',
  'atob("ab=c")',
  'new URL("../x/./y?q=1&q=2#f", "https://u:p@Example.COM:443/a/b/c").href',
  'new URL("nonsense")',
  'URL.canParse("http://x") + " " + URL.canParse("x")',
  'new URL("http://[::1]:80/").host + new URL("http://0x7f.1/").hostname',
  'new URL("https://münchen.example/straße?ä=ö").href',
  '(() => { const u = new URL("https://a.example/"); u.searchParams.append("k", "v w"); u.port = "8080"; u.hash = "x"; return u.toString() })()',
  'JSON.stringify([...new URLSearchParams("a=1&b=%20+&a=2")])',
  'new URLSearchParams({ b: "2", a: "é &" }).toString()',
  '(() => { const p = new URLSearchParams([["b", "1"], ["a", "2"]]); p.sort(); p.delete("b"); return p.toString() + p.size })()',
  'structuredClone(new Uint8Array([1, 2])).join() + structuredClone(/a/gi).flags',
  'structuredClone(new Map([[1, new Set([new Date(5)])]])).get(1).values().next().value.getTime()',
  'structuredClone(new RangeError("far")) instanceof RangeError',
  'structuredClone(() => 1)',
  'crypto.randomUUID().replace(/[0-9a-f]/g, "x")[14] + /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())',
  'crypto.getRandomValues(new Uint8Array(7)).length',
  'crypto.getRandomValues(new Uint8Array(65537))',
  'crypto.getRandomValues(new Float64Array(1))',
  'new AbortController().signal.aborted',
  '(() => { const c = new AbortController(); let n = 0; c.signal.addEventListener("abort", () => { n += 1 }); c.abort(); c.abort(); return n + c.signal.reason.name })()',
  'AbortSignal.abort("why").reason',
  'AbortSignal.abort().throwIfAborted()',
  'AbortSignal.any([AbortSignal.abort("first")]).reason',
  '(() => { const t = new EventTarget(); const s = []; t.addEventListener("x", () => s.push(1), { once: true }); t.addEventListener("x", (e) => { s.push(e.type); e.preventDefault() }); return [t.dispatchEvent(new Event("x", { cancelable: true })), t.dispatchEvent(new Event("x")), ...s].join() })()',
  'new DOMException("m", "AbortError").code + new DOMException("m").name',
  'typeof performance.now() + (performance.now() >= 0)',
  '(1234567.891).toLocaleString("en-US") + (1234.5).toLocaleString("de-DE", { style: "currency", currency: "EUR" })',
  'new Date(0).toLocaleDateString("en-GB", { timeZone: "Asia/Kolkata" })',
  '["ä", "z", "a"].sort((a, b) => a.localeCompare(b, "de")).join()',
  '"e\\u0301".normalize() + "ﬁ".normalize("NFKD") + "é".normalize("NFD").length',
  '"x".normalize("XYZ")',
  'String.prototype.normalize.call(null)',
  'setTimeout("code")',
]

const comparison = `
  return given.map((code) => {
    try { return String((0, eval)('(' + code + ')')) } catch (error) { return 'throws ' + (error.name ?? error) }
  })`
const digests = `
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const answers = []
  for (const name of ['SHA-1', 'sha-256', 'SHA-384', 'SHA-512'])
    answers.push(hex(await crypto.subtle.digest(name, new TextEncoder().encode(given))))
  return answers`

/** The same code in this process. */
const here = async (code: string, given: unknown): Promise<unknown> =>
  Function('given', `return (async () => {${code}})()`)(given)

t.test('the globals of the sandbox', async (t) => {
  const { run, lines } = await guestRunner(t)

  await t.test('answer as those of Node', async (t) => {
    const [inside, outside] = [
      await run(comparison, { given: expressions }),
      await here(comparison, expressions),
    ]
    const both = (answers: unknown) =>
      expressions.map((code, index) => `${code} -> ${Array.isArray(answers) ? answers[index] : ''}`)
    t.same(both(inside), both(outside))
    t.same(await run(digests, { given: 'größer' }), await here(digests, 'größer'))
  })

  await t.test('answer as those of Node whatever they are given', async (t) => {
    const bytes = `return given.map((bytes) => new TextDecoder().decode(new Uint8Array(bytes)))`
    const texts = `return given.map((text) => [...new TextEncoder().encode(text)].join() + btoa(encodeURIComponent(text.toWellFormed())))`
    const codes = `return given.map((text) => { try { return atob(text) } catch (error) { return error.name } })`
    const urls = `return given.map((text) => { try { return new URL(text, 'https://a.example/b/c?d').href } catch (error) { return error.name } })`
    const params = `return given.map((text) => [...new URLSearchParams(text)].flat().join('|') + new URLSearchParams(text))`
    // One call for many inputs: the road to the isolate is what takes time.
    const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 40, maxLength: 80 })
    const unit = fc.oneof(
      fc.constantFrom(...'/\\.:?#@&=%+ [];~-'),
      fc.string({ unit: 'grapheme', maxLength: 2 }),
    )
    // Host names beyond ASCII are core-js's own affair: it does not map what IDNA maps (docs/decisions/0026).
    const ascii = fc.oneof(
      fc.constantFrom(...'/\\.:?#@&=%+ [];~-'),
      fc.string({ unit: 'grapheme-ascii', maxLength: 2 }),
    )
    const schemes = fc.constantFrom('', '//', 'http://', 'https:', 'file:', 'mailto:', '../', 'a/')
    const plain = fc.tuple(schemes, fc.string({ unit: ascii, maxLength: 12 })).map((parts) => parts.join(''))
    const wideUrl = fc
      .tuple(fc.constantFrom('/', '//h/', '?', '#', 'x:'), fc.string({ unit, maxLength: 12 }))
      .map((parts) => parts.join('a'))
    // It takes `file:.\/a` for file:///a, and Node for file:////a.
    const urlish = fc.oneof(plain, wideUrl).filter((text) => !/^file:.*\\/.test(text))
    const wide = fc.string({ unit: 'binary', maxLength: 20 })
    const lead = fc.oneof(fc.constantFrom(0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xbf, 0x80, 0xbb), fc.nat(255))
    for (const [code, inputs] of [
      [bytes, many(fc.array(lead, { maxLength: 12 }))],
      [texts, many(wide)],
      [codes, many(fc.string({ unit: fc.constantFrom(...'aZ09+/= \n-'), maxLength: 9 }))],
      [urls, many(urlish)],
      [params, many(fc.string({ unit, maxLength: 12 }))],
    ] as const) {
      const property = fc.asyncProperty(inputs, async (given) => {
        t.same(await run(code, { given }), await here(code, given))
      })
      await fc.assert(property, { numRuns: 8 })
    }
  })

  await t.test('normalize refuses what V8 could not be stopped at', async (t) => {
    for (const text of ['"a".repeat(300_000)', '"a" + "\\u0315\\u0301".repeat(100)']) {
      t.match(
        await run(`try { (${text}).normalize('NFD') } catch (error) { return error.name }`),
        'RangeError',
      )
    }
  })

  await t.test('timers come in their order, repeat, and can be cleared', async (t) => {
    const seen = await run(`
      const seen = []
      const gone = setTimeout(() => seen.push('never'), 5)
      clearTimeout(gone)
      await new Promise((done) => {
        setTimeout((what) => seen.push(what), 60, 'late')
        setImmediate(() => seen.push('soon'))
        let n = 0
        const every = setInterval(() => { seen.push(n += 1); if (n === 3) { clearInterval(every); setTimeout(done, 120) } }, 4)
      })
      return seen`)
    t.same([...(seen as unknown[])].sort(), [1, 2, 3, 'late', 'soon'].sort())
    t.equal((seen as unknown[])[0], 'soon')
    t.equal(
      await run(
        `try { await new Promise((_, no) => AbortSignal.timeout(10).addEventListener('abort', (e) => no(e.target.reason))) } catch (error) { return error.name }`,
      ),
      'TimeoutError',
    )
  })

  await t.test('what a timer throws fails its invocation', async (t) => {
    await t.rejects(run(`setTimeout(() => { throw new Error('late') }, 1); await new Promise(() => {})`), {
      code: 'PLUGIN_FAILED',
      cause: { message: 'late' },
    })
  })

  await t.test('console is in the log of the invocation', async (t) => {
    await run(
      `console.assert(1 === 2, 'sums'); console.count(); console.count(); console.table([{ a: 1 }]); console.error(new Error('seen'))`,
    )
    const said = lines.map((line) => String(line['msg']))
    for (const part of ['Assertion failed: sums', 'default: 2', '[{"a":1}]', 'Error: seen']) {
      t.ok(
        said.some((line) => line.includes(part)),
        part,
      )
    }
  })
})

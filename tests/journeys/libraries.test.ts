// Libraries that ERP authors reach for, bundled into a plugin and used through a real kernel: what they answer in the
// sandbox is what they answer in Node.
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PDFDocument } from 'pdf-lib'
import t from 'tap'
import { packPlugin } from '../../kernel/src/registry/pack-plugin.ts'
import { makeInstallation } from '../support/installation.ts'
import { repository, testKernel } from '../support/kernel.ts'

const libraries = ['decimal.js', 'date-fns', 'zod', 'papaparse', 'pdf-lib', 'fflate']

const uses = `
import Decimal from 'decimal.js'
import { addBusinessDays, differenceInCalendarMonths, format, parseISO } from 'date-fns'
import { z } from 'zod'
import Papa from 'papaparse'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'

const order = z.object({ id: z.uuid(), email: z.email(), site: z.url(), lines: z.array(z.object({ qty: z.coerce.number().positive() })).min(1) })
const csv = (text: string) => new Promise((done) => Papa.parse(text, { header: true, dynamicTyping: true, complete: done }))

export const uses: Record<string, () => unknown> = {
  decimal: () => [new Decimal('1').div(3).toFixed(30), Decimal.sqrt(2).toString(), new Decimal('0.1').plus('0.2').toString(), Decimal.pow('1.0725', 360).toSD(20).toString()],
  dates: () => [format(addBusinessDays(parseISO('2026-03-27T00:00:00'), 5), "yyyy-MM-dd 'week' I QQQ EEEE do MMMM"), differenceInCalendarMonths(parseISO('2027-01-01'), parseISO('2026-03-31'))],
  zod: () => {
    const good = order.safeParse({ id: '019a0000-0000-7000-8000-000000000000', email: 'ada@example.com', site: 'https://example.com/a?b', lines: [{ qty: '3' }] })
    const bad = order.safeParse({ id: 1, email: 'no', site: 'no', lines: [] })
    return [good.data, bad.error?.issues.map((issue) => [issue.path.join('.'), issue.code, issue.message])]
  },
  papaparse: async () => {
    const { data, errors } = (await csv('item,qty\\n"Bolt, M6",10\\nNut,2.5\\n"a ""quoted"" one",x\\n')) as { data: unknown; errors: unknown }
    return [data, errors, Papa.unparse([{ a: 'x,y', b: 1 }, { a: null, b: 'é' }])]
  },
  zip: () => {
    const zipped = zipSync({ 'xl/sheet.xml': strToU8('<row>' + 'grüße '.repeat(200) + '</row>') }, { mtime: '2026-01-01T00:00:00' })
    return [zipped.length < 400, strFromU8(unzipSync(zipped)['xl/sheet.xml'] ?? strToU8('')).length]
  },
  pdf: async () => {
    const document = await PDFDocument.create({ updateMetadata: false })
    const page = document.addPage([300, 200])
    page.drawText('Invoice INV-2026-0001: 12.50 EUR', { x: 20, y: 100, size: 14, font: await document.embedFont(StandardFonts.Helvetica) })
    document.setTitle('Invoice')
    return document.saveAsBase64()
  },
}
`
const source = `
import { definePlugin, t } from '@plinth/sdk'
import { uses } from './uses.ts'
export default definePlugin({
  name: 'libraries', title: 'Libraries',
  routes: { use: { method: 'POST', path: '/use', input: { what: t.text() },
    run: async (ctx, { what }) => ({ answer: await uses[what]() }) } },
})
`

const linkLibraries = async (root: string): Promise<void> => {
  for (const name of libraries) {
    const link = join(root, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(repository, 'node_modules', name), link)
  }
}

t.test('libraries of npm answer in the sandbox as in Node', async (t) => {
  const files = { 'src/uses.ts': uses }
  const root = await makeInstallation(t, { '@test/libraries': { source, files, migrations: false } })
  await linkLibraries(root)
  const kernel = await testKernel(t, { pluginsRoot: root })
  t.same(kernel.kernel.registry.refusals, [])
  const { owner } = await kernel.openTenant('libraries')
  const here: { uses: Record<string, () => unknown> } = await import(
    join(root, 'packages/@test/libraries/src/uses.ts')
  )

  for (const [what, use] of Object.entries(here.uses)) {
    await t.test(what, async (t) => {
      const { status, body } = await owner('POST', '/v1/libraries/use', { what })
      t.equal(status, 200, JSON.stringify(body))
      t.same(body['answer'], JSON.parse(JSON.stringify(await use())))
    })
  }

  await t.test('and a client can read the PDF', async (t) => {
    const { body } = await owner('POST', '/v1/libraries/use', { what: 'pdf' })
    const bytes = Buffer.from(String(body['answer']), 'base64')
    t.match(bytes.subarray(0, 8).toString(), /^%PDF-1\./)
    const document = await PDFDocument.load(bytes)
    t.equal(document.getTitle(), 'Invoice')
    t.equal(document.getPageCount(), 1)
  })
})

t.test("an import of Node's is refused with what to use instead", async (t) => {
  const root = await makeInstallation(t, {
    '@test/node': {
      source: "import { readFileSync } from 'node:fs'\nexport default readFileSync",
      migrations: false,
    },
  })
  const folder = join(root, 'packages/@test/node')
  const pack = () => packPlugin(join(folder, 'src/plugin.ts'))
  await t.rejects(pack(), {
    message:
      /^cannot be packed: 'node:fs' is a module of Node, imported by src\/plugin\.ts.*keep data in entities.*plugin\.ts:1/,
  })
  const package_ = (text: string) => writeFile(join(root, 'node_modules/greedy/index.js'), text)
  await mkdir(join(root, 'node_modules/greedy'))
  await writeFile(join(root, 'node_modules/greedy/package.json'), '{ "main": "index.js" }')
  await writeFile(join(folder, 'src/plugin.ts'), "import greedy from 'greedy'\nexport default greedy")
  await package_("import https from 'https'\nexport default https")
  await t.rejects(pack(), {
    message: /'https' is a module of Node, imported by .*greedy\/index\.js.*needs: \{ http/,
  })
  await package_("module.exports = () => require('crypto')")
  t.match(await pack(), { bundle: /throw new Error\("'crypto' is a module of Node, imported by .*hash\(\)/ })
})

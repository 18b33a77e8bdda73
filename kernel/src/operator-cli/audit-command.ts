// `plinth audit`: whether a trail is as it was sealed, and the ends of all chains, to be kept elsewhere.
import Type from 'typebox'
import type { OperatorClient } from './operator-client.ts'

const verification = Type.Object({
  tenant: Type.String(),
  ok: Type.Boolean(),
  seals: Type.Number(),
  rows: Type.Number(),
  waiting: Type.Number(),
  purged: Type.Number(),
  problems: Type.Array(Type.String()),
  anchor: Type.Optional(Type.Object({ seq: Type.Number(), hash: Type.String(), sealedAt: Type.String() })),
})
const anchors = Type.Object({
  items: Type.Array(Type.Object({ tenant: Type.String(), seq: Type.Number(), hash: Type.String() })),
  cursor: Type.Optional(Type.String()),
})

/** Some 30 µs a row. */
const verifyDeadlineMs = 60 * 60_000

interface Asked {
  readonly client: OperatorClient
  readonly print: (text: string) => void
}

/** False when the trail is not as it was sealed. */
export async function verifyTrail(
  { client, print }: Asked,
  { tenant, anchor }: { readonly tenant?: string; readonly anchor?: string },
): Promise<boolean> {
  const query = new URLSearchParams({
    ...(tenant === undefined ? {} : { tenant }),
    ...(anchor === undefined ? {} : { anchor }),
  })
  const path = `/v1/operator/audit/verification?${query}`
  const found = await client.ask(verification, 'GET', path, undefined, verifyDeadlineMs)
  const whose = tenant === undefined ? 'The trail of the installation' : `The trail of '${tenant}'`
  const counts = `${found.rows} rows under ${found.seals} seals, ${found.waiting} not sealed yet, ${found.purged} purged`
  print(`${whose} is ${found.ok ? 'as it was sealed' : 'NOT as it was sealed'}: ${counts}.`)
  for (const problem of found.problems) print(`  ${problem}`)
  if (found.anchor) print(`Anchor: ${found.anchor.seq}:${found.anchor.hash} of ${found.anchor.sealedAt}.`)
  return found.ok
}

export async function printAnchors({ client, print }: Asked): Promise<boolean> {
  for (let cursor: string | undefined; ; ) {
    const path = `/v1/operator/audit/anchors?limit=200${cursor === undefined ? '' : `&cursor=${cursor}`}`
    const page = await client.ask(anchors, 'GET', path)
    for (const { tenant, seq, hash } of page.items) print(`${tenant} ${seq}:${hash}`)
    if (page.cursor === undefined) return true
    cursor = page.cursor
  }
}

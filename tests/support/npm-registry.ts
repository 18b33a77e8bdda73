// A real npm registry on loopback (verdaccio), with its packages in a temporary folder and nothing behind it; and a server to
// put in front of it that answers some requests in its own way, as a hostile or broken registry would.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { runServer } from 'verdaccio'

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

export interface Publication {
  readonly name: string
  readonly version: string
  readonly tarball: Buffer
  readonly tag?: string
  /** Over what npm would put into the document of the version. */
  readonly document?: Readonly<Record<string, unknown>>
  readonly dist?: Readonly<Record<string, unknown>>
}

export interface TestRegistry {
  readonly url: string
  /** Gives the archive's integrity. */
  publish(publication: Publication): Promise<string>
  /** Moves a dist-tag. */
  tag(name: string, tag: string, version: string): Promise<void>
}

export const integrityOf = (bytes: Buffer): string =>
  `sha512-${createHash('sha512').update(bytes).digest('base64')}`

export async function listenOnLoopback(t: Ending, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('The server has no port.')
  return `http://127.0.0.1:${address.port}`
}

export async function startRegistry(t: Ending): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-registry-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const server: Server = await runServer({
    storage: join(folder, 'storage'),
    self_path: folder,
    config_path: join(folder, 'config.yaml'),
    uplinks: {},
    packages: { '**': { access: ['$all'], publish: ['$all'] } },
    auth: { htpasswd: { file: join(folder, 'htpasswd'), max_users: -1 } },
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
    web: { enable: false },
    middlewares: {},
    max_body_size: '60mb',
  } as never)
  const url = await listenOnLoopback(t, server)

  async function put(path: string, body: unknown): Promise<void> {
    const response = await fetch(`${url}/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`)
    await response.arrayBuffer()
  }

  return {
    url,
    async publish({ name, version, tarball, tag = 'latest', document = {}, dist = {} }) {
      const file = `${name.replace(/^.*\//, '')}-${version}.tgz`
      const integrity = integrityOf(tarball)
      const shasum = createHash('sha1').update(tarball).digest('hex')
      const tarballUrl = `${url}/${name}/-/${file}`
      await put(name.replace('/', '%2f'), {
        _id: name,
        name,
        'dist-tags': { [tag]: version },
        versions: {
          [version]: {
            name,
            version,
            ...document,
            dist: { integrity, shasum, tarball: tarballUrl, ...dist },
          },
        },
        _attachments: {
          [file]: {
            content_type: 'application/octet-stream',
            data: tarball.toString('base64'),
            length: tarball.length,
          },
        },
      })
      return integrity
    },
    tag: (name, tag, version) => put(`-/package/${name.replace('/', '%2f')}/dist-tags/${tag}`, version),
  }
}

export interface FrontRequest {
  /** As the client asked for it. */
  readonly path: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** What the registry behind answers. */
  readonly behind: () => Promise<{ readonly status: number; readonly body: Buffer }>
}

/** With the host as the client named it: the registry then writes addresses that lead to the front. */
async function passOn(url: string, host = ''): Promise<{ status: number; body: Buffer }> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) =>
    send(url, { headers: { host } }, resolve).on('error', reject).end(),
  )
  return { status: reply.statusCode ?? 0, body: await buffer(reply) }
}

/** `answer` gives true when it has taken the request; what it leaves goes to the registry behind. */
export async function startFront(
  t: Ending,
  registry: TestRegistry,
  answer: (asked: FrontRequest) => boolean | Promise<boolean>,
): Promise<string> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const behind = () => passOn(`${registry.url}${path}`, request.headers.host)
    const respond = async () => {
      if (await answer({ path, request, response, behind })) return
      const { status, body } = await behind()
      response.writeHead(status).end(body)
    }
    respond().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  return await listenOnLoopback(t, server)
}

/** A front that changes the packument. */
export const startLyingFront = (
  t: Ending,
  registry: TestRegistry,
  change: (packument: Packument, url: string) => unknown,
): Promise<string> =>
  startFront(t, registry, async ({ path, request, response, behind }) => {
    if (path.includes('/-/')) return false
    const { status, body } = await behind()
    const packument: Packument = JSON.parse(body.toString())
    response.writeHead(status).end(JSON.stringify(change(packument, `http://${request.headers.host}`)))
    return true
  })

/** What tests change of it. */
export interface Packument {
  name: string
  versions: Record<
    string,
    { name: string; version: string; dist: Record<string, unknown>; deprecated?: string }
  >
  time: Record<string, string>
  'dist-tags': Record<string, string>
}

// A DNS server for tests, on loopback: answers A, AAAA and TXT from tables, a different answer each time when there are
// several, as a name does that is meant to pass a check first and to lead elsewhere afterwards.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'

export interface DnsServer {
  readonly port: number
  /** By name: the addresses of the first answer, of the second, and so on; the last stays. */
  readonly names: Map<string, readonly (readonly string[])[]>
  /** By name: the values of its TXT records; 'SERVFAIL' when the server is to have no answer. */
  readonly texts: Map<string, readonly string[] | 'SERVFAIL'>
  /** Names that were asked for an A record, in order. */
  readonly asked: string[]
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

const typeA = 1
const typeAaaa = 28
const typeTxt = 16
const noError = 0
const serverFailure = 2
const headerBytes = 12

function questionIn(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = headerBytes
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function groups(address: string): number[] {
  const [head = '', tail = ''] = address.split('::')
  const read = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [before, after] = [read(head), read(tail)]
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}

const bytesOf = (address: string): Buffer =>
  isIPv4(address)
    ? Buffer.from(address.split('.').map(Number))
    : Buffer.from(groups(address).flatMap((group) => [group >> 8, group & 255]))

function answerTo(query: Buffer, data: readonly Buffer[], code = noError): Buffer {
  const { type, end } = questionIn(query)
  const header = Buffer.from(query.subarray(0, headerBytes))
  header.writeUInt16BE(0x8180 | code, 2)
  header.writeUInt16BE(data.length, 6)
  header.writeUInt32BE(0, 8)
  const records = data.map((one) => {
    const record = Buffer.alloc(12)
    // The name: that of the question.
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt16BE(one.length, 10)
    return Buffer.concat([record, one])
  })
  return Buffer.concat([header, query.subarray(headerBytes, end), ...records])
}

/** A text in parts of 255 bytes at most, each behind its length. */
function txtBytes(text: string): Buffer {
  const bytes = Buffer.from(text)
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 255) {
    const part = bytes.subarray(at, at + 255)
    parts.push(Buffer.from([part.length]), part)
  }
  return Buffer.concat(parts)
}

export async function startDnsServer(t: Ending): Promise<DnsServer> {
  const names: DnsServer['names'] = new Map()
  const texts: DnsServer['texts'] = new Map()
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const { name, type } = questionIn(query)
    const send = (data: readonly Buffer[], code?: number) =>
      socket.send(answerTo(query, data, code), from.port, from.address)
    if (type === typeTxt) {
      const found = texts.get(name) ?? []
      return found === 'SERVFAIL' ? send([], serverFailure) : send(found.map(txtBytes))
    }
    const answers = names.get(name) ?? []
    const before = asked.filter((other) => other === name).length
    // The AAAA question of a lookup is asked with its A question, so it goes by the same count.
    const now = answers[Math.min(type === typeA ? before : Math.max(0, before - 1), answers.length - 1)] ?? []
    if (type === typeA) asked.push(name)
    const ofType = now.filter((address) => isIPv4(address) === (type === typeA))
    send(type === typeA || type === typeAaaa ? ofType.map(bytesOf) : [])
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(async () => {
    socket.close()
    await once(socket, 'close')
  })
  return { port: socket.address().port, names, texts, asked }
}

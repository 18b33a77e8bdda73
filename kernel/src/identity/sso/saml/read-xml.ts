// XML from outside as a plain tree, read by the parser that checks its signatures too. Whatever two readers could read
// differently, and whatever costs more than it is long, is refused before it is parsed.
import { createRequire } from 'node:module'
import { providerRefusal } from '../provider-refusal.ts'

export interface XmlElement {
  readonly namespace: string
  /** Without its prefix. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** All text in it. */
  readonly text: string
}

/** What is used of the parser: its own types bring those of a browser along, for the whole program. */
interface DomNode {
  readonly nodeType: number
  readonly namespaceURI: string | null
  readonly localName: string | null
  readonly textContent: string | null
  readonly childNodes: ArrayLike<DomNode>
  readonly attributes: ArrayLike<{ readonly name: string; readonly value: string }>
  readonly documentElement: DomNode | null
}
interface XmlDom {
  readonly DOMParser: new (options: {
    readonly errorHandler: (level: string, message: string) => void
  }) => { parseFromString(text: string, type: string): DomNode | undefined }
}

const { DOMParser } = createRequire(import.meta.url)('@xmldom/xmldom') as XmlDom

const elementNode = 1
/** A signed assertion with everything is 12 deep. */
const deepest = 50
const mostAttributes = 60

export interface XmlLimits {
  readonly bytes: number
  readonly elements: number
  /** In what an administrator pastes; nothing that decides about a person may have them. */
  readonly comments?: boolean
}

const countOf = (text: string, part: string): number => text.split(part).length - 1

function refuseUnplain(text: string, { bytes, elements, comments }: XmlLimits): void {
  if (Buffer.byteLength(text) > bytes) throw providerRefusal(`its XML is longer than ${bytes} bytes.`)
  // No document type, and so no entities; no sections whose text is not what it seems.
  const declared = comments ? text.replaceAll('<!--', '') : text
  if (declared.includes('<!')) throw providerRefusal('its XML has a declaration, a comment or a section.')
  if (text.replace(/^\uFEFF?<\?xml [^<>?]{0,200}\?>/, '').includes('<?'))
    throw providerRefusal('its XML has a processing instruction.')
  if (text.includes('\0')) throw providerRefusal('its XML has a NUL character.')
  if (countOf(text, '<') > 2 * elements) throw providerRefusal(`its XML has more than ${elements} elements.`)
  // The parser takes its time over many in one element, and over many namespaces.
  const isCrowded = text.split('<').some((piece) => countOf(piece, '=') > mostAttributes)
  if (isCrowded || countOf(text, '=') > 4 * elements)
    throw providerRefusal('its XML has too many attributes.')
}

function fromDom(node: DomNode, depth = 0): XmlElement {
  if (depth > deepest) throw providerRefusal(`its XML is deeper than ${deepest} elements.`)
  const children: XmlElement[] = []
  for (const child of Array.from(node.childNodes))
    if (child.nodeType === elementNode) children.push(fromDom(child, depth + 1))
  return {
    namespace: node.namespaceURI ?? '',
    name: node.localName ?? '',
    attributes: Object.fromEntries(Array.from(node.attributes).map(({ name, value }) => [name, value])),
    children,
    text: node.textContent ?? '',
  }
}

/** @throws ProviderRefusal */
export function readXml(text: string, limits: XmlLimits): XmlElement {
  refuseUnplain(text, limits)
  const errorHandler = (_level: string, message: string) => {
    throw providerRefusal('its XML is not well-formed.', new Error(message))
  }
  const root = new DOMParser({ errorHandler }).parseFromString(text, 'text/xml')?.documentElement
  if (!root) throw providerRefusal('its XML is empty.')
  return fromDom(root)
}

/** The element and all below it. */
export function* withDescendants(element: XmlElement): Generator<XmlElement> {
  yield element
  for (const child of element.children) yield* withDescendants(child)
}

export const childrenOf = (element: XmlElement, namespace: string, name: string): readonly XmlElement[] =>
  element.children.filter((child) => child.name === name && child.namespace === namespace)

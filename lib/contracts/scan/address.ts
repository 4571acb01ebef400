// The addresses in templates: which attributes hold one, and what the browser
// does with it.
import type { Attribute, Element } from './parts.js'
import { HOLE } from './pattern.js'

/** The kind of an address: of a link, the page itself for a file, a form, htmx, or a stream. */
export type Purpose = 'link' | 'asset' | 'form' | 'request' | 'stream'

/** One address that an attribute can have. */
export interface Address {
  element: Element
  attribute: Attribute
  purpose: Purpose
  /** Undefined when it cannot be told. */
  method: string | undefined
  /** Without the query, with holes; undefined when not even its start is known. */
  path: string | undefined
}

const REQUESTS: Record<string, string> = {
  'hx-get': 'GET', 'hx-post': 'POST', 'hx-put': 'PUT', 'hx-patch': 'PATCH', 'hx-delete': 'DELETE', 'hx-query': 'QUERY'
}
const SOCKETS = new Set(['ws-connect', 'hx-ws:connect'])
const STREAMS = new Set(['sse-connect', 'hx-sse:connect'])
/** Elements whose `src` is fetched for the page. */
const SOURCES = new Set(['script', 'img', 'source', 'audio', 'video', 'track', 'embed', 'input'])

/** The addresses of one element that are on this server, or may be. */
export function addressesOf (element: Element): Address[] {
  return element.attributes.flatMap(attribute => {
    const use = useOf(element, attribute)
    return use === undefined ? [] : attribute.values.flatMap(value => addressOf(element, attribute, use, value))
  })
}

/** Whether an attribute connects to a stream. */
export function isConnect ({ name }: Attribute): boolean {
  return STREAMS.has(name)
}

/** Whether htmx takes the place of what the browser would do with an element. */
export function isTakenOver ({ purpose, element }: Address): boolean {
  return (purpose === 'link' || purpose === 'form') && element.attributes.some(({ name }) => name === 'hx-action' || Object.hasOwn(REQUESTS, name))
}

/** The known value of an attribute, in lower case; undefined when there is none, or when it is not sure. */
export function plainValue (element: Element, name: string): string | undefined {
  const attribute = element.attributes.find(attribute => attribute.name === name)
  return attribute?.values.length === 1 && !attribute.conditional ? attribute.values[0]?.toLowerCase() : undefined
}

function useOf (element: Element, { name }: Attribute): { purpose: Purpose, method: string | undefined } | undefined {
  if (isConnect({ name } as Attribute)) return { purpose: 'stream', method: 'GET' }
  if (Object.hasOwn(REQUESTS, name)) return { purpose: 'request', method: REQUESTS[name] }
  if (SOCKETS.has(name)) return { purpose: 'request', method: 'GET' }
  if (name === 'hx-action') return { purpose: 'request', method: plainValue(element, 'hx-method')?.toUpperCase() }
  if (name === 'action' && element.name === 'form') return formUse(element)
  if (name === 'formaction') return { purpose: 'form', method: plainValue(element, 'formmethod')?.toUpperCase() }
  if (name === 'href') return linkUse(element)
  if (name === 'src' && element.name === 'iframe') return { purpose: 'link', method: 'GET' }
  return name === 'src' && SOURCES.has(element.name) ? { purpose: 'asset', method: 'GET' } : undefined
}

function formUse (element: Element): { purpose: Purpose, method: string | undefined } | undefined {
  const isPlain = !element.dynamic && element.attributes.every(({ name }) => name !== 'method')
  const method = isPlain ? 'get' : plainValue(element, 'method')
  return method === 'dialog' ? undefined : { purpose: 'form', method: method === undefined || method.includes(HOLE) ? undefined : sentMethod(method) }
}

/** https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#attr-fs-method: all but one are GET. */
function sentMethod (method: string): string {
  return method === 'post' ? 'POST' : 'GET'
}

function linkUse (element: Element): { purpose: Purpose, method: string | undefined } | undefined {
  if (element.name === 'link') return { purpose: 'asset', method: 'GET' }
  if (element.name === 'use' || element.name === 'image') return { purpose: 'asset', method: 'GET' }
  if (element.name !== 'a' && element.name !== 'area') return undefined
  const names = element.attributes.map(({ name }) => name)
  if (names.includes('download') || plainValue(element, 'rel')?.split(/\s+/).includes('external') === true) return undefined
  // Scripts that turn links into forms.
  const isScripted = names.some(name => /^data-(?:turbo-)?method$/.test(name))
  return { purpose: 'link', method: isScripted ? undefined : 'GET' }
}

// Relative addresses depend on the address of the page, which is unknown here.
function addressOf (element: Element, attribute: Attribute, use: { purpose: Purpose, method: string | undefined }, value: string): Address[] {
  const text = value.trim()
  if (text.startsWith(HOLE)) return [{ element, attribute, ...use, path: undefined }]
  if (!text.startsWith('/') || text.startsWith('//')) return []
  // A part that a script in the browser fills in.
  const [path = ''] = text.replace(/\$?\{\{?[^{}]*\}?\}/g, HOLE).split(/[?#]/)
  // A file may come from somewhere else than the app.
  const purpose = use.purpose === 'link' && /\.(?!html?$)\w{2,5}$/i.test(path) ? 'asset' : use.purpose
  return [{ element, attribute, ...use, purpose, path }]
}

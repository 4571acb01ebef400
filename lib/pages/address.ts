// The address of a page's stream: that of the page, with the place where the
// stream goes on.
import type { FastifyRequest } from 'fastify'
import type { PageStream, PrintedSignals } from '../render/renderer.js'
import { AFTER_GAP, LAST_EVENT_ID } from '../stream/context.js'
import { hasParameter, headerOf } from '../util/request.js'

/** Made while a page is rendered; a template asks it where to connect. */
export class StreamAddress implements PageStream {
  readonly #method: string
  readonly #own: string
  readonly #parameters: string

  constructor (request: FastifyRequest, cursor: string, readonly signals?: PrintedSignals) {
    this.#method = request.method
    this.#own = prefixOf(request) + pathOf(request.originalUrl)
    this.#parameters = `${isAfterGap(request) ? `${AFTER_GAP}=1&` : ''}${LAST_EVENT_ID}=${encodeURIComponent(cursor)}`
  }

  connect (address?: string): string {
    const isGet = this.#method === 'GET' || this.#method === 'HEAD'
    if (address === undefined) {
      if (isGet) return this.#complete(this.#own)
      throw new TypeError(`sse_connect() takes the page's own address, and this page answers a ${this.#method}, whose address has no stream. Give it the address of the GET that has: sse_connect("/imports/7")`)
    }
    const given = resolve(address, this.#own)
    const own = resolve(this.#own, '/')!
    const isOfPage = given?.origin === own.origin && (!isGet || given.pathname === own.pathname)
    // One that says itself where to go on knows better.
    return isOfPage && !given.searchParams.has(LAST_EVENT_ID) ? this.#complete(address) : address
  }

  #complete (address: string): string {
    const [, path, query = '', hash] = PARTS.exec(address)!
    const kept = query.split('&').filter(parameter => parameter !== '' && !OURS.has(parameter.split('=', 1)[0]!))
    return `${path}?${[...kept, this.#parameters].join('&')}${hash}`
  }
}

const PARTS = /^([^?#]*)(?:\?([^#]*))?(.*)$/s
const OURS = new Set<string>([LAST_EVENT_ID, AFTER_GAP])

/** Whether a page is loaded because its stream has told of a gap. */
function isAfterGap (request: FastifyRequest): boolean {
  return headerOf(request, AFTER_GAP) !== undefined || hasParameter(request, AFTER_GAP)
}

// As a browser would; undefined when it could not.
function resolve (address: string, base: string): URL | undefined {
  try {
    return new URL(address, new URL(base, 'http://page.invalid'))
  } catch {
    return undefined
  }
}

/**
 * Path and query as the client sent them. It can be any text, and a browser must
 * take it for a path of this server: what begins with two slashes would be another one.
 */
function pathOf (url: string): string {
  const path = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/#.*$/s, '')
    .replace(/[^!-~]|["<>\\^`{|}]/gu, encode)
  return path.startsWith('//') ? `/.${path}` : path.startsWith('/') ? path : `/${path}`
}

// Node.js reads an address as latin1.
function encode (character: string): string {
  return [...Buffer.from(character, 'latin1')].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/**
 * The prefix that a proxy has removed from the path, if the app trusts its
 * proxies: Fastify knows `ips` then. Where the one that sent the request is none
 * of them, only its own address is in the list.
 */
function prefixOf (request: FastifyRequest): string {
  const prefix = headerOf(request, 'x-forwarded-prefix')
  if (prefix === undefined || request.ips === undefined) return ''
  if (request.ips.length === 1 && headerOf(request, 'x-forwarded-for') !== undefined) return ''
  return /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+\/?$/.test(prefix) ? prefix.replace(/\/$/, '') : ''
}

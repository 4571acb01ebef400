// Clients behind a proxy: streams over HTTP/1.1 and HTTP/2 of which each event is waited for, and an EventSource.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { setTimeout as wait } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { quiet } from '../helpers/app.js'
import { PATIENCE } from '../helpers/client.js'

/** Not that of the proxy, so that the app can tell whose it was told. */
export const ADDRESS = '127.0.0.2'

const HEADERS = { accept: 'text/event-stream', 'accept-encoding': 'gzip' }

const PROTOCOLS = {
  async 'HTTP/1.1' ({ url }, path, headers) {
    const request = http.get(`${url}${path}`, { agent: false, localAddress: ADDRESS, headers })
    const [body] = await once(request, 'response')
    return { status: body.statusCode, headers: body.headers, body, close: () => request.destroy() }
  },
  async 'HTTP/2' ({ secureUrl }, path, headers) {
    const session = http2.connect(secureUrl, { rejectUnauthorized: false, localAddress: ADDRESS, family: 4 })
    session.on('error', () => {})
    const body = session.request({ ':path': path, ...headers })
    const [answer] = await once(body, 'response')
    return { status: answer[':status'], headers: answer, body, close: () => session.destroy() }
  }
}

/** A response whose body is not read, until `read()`. */
export async function ask (edge, protocol, path, headers) {
  const answer = await PROTOCOLS[protocol](edge, path, { ...HEADERS, ...headers })
  // What a proxy does to a stream that it cuts is an error here.
  answer.body.on('error', () => {})
  answer.read = async () => {
    const chunks = []
    for await (const chunk of answer.body) chunks.push(chunk)
    answer.close()
    return Buffer.concat(chunks)
  }
  return answer
}

/** A stream whose events are waited for: `next()` fails when none comes. */
export async function open (edge, protocol, path, headers) {
  const answer = await ask(edge, protocol, path, headers)
  const stream = { ...answer, events: [], heartbeats: 0, ended: false }
  let wake = () => {}
  const parser = createParser({
    onEvent: event => { stream.events.push(event) },
    onComment: () => { stream.heartbeats++ }
  })
  answer.body.setEncoding('utf8').on('data', text => {
    parser.feed(text)
    wake()
  })
  answer.body.on('close', () => {
    stream.ended = true
    stream.close()
    wake()
  })
  let taken = 0
  stream.next = async (timeout = PATIENCE) => {
    const deadline = Date.now() + timeout
    while (stream.events.length === taken && !stream.ended && Date.now() < deadline) {
      await Promise.race([new Promise(resolve => { wake = resolve }), quiet(Math.min(100, timeout))])
    }
    return stream.events[taken++]
  }
  return stream
}

/**
 * What a browser's EventSource does: https://html.spec.whatwg.org/multipage/server-sent-events.html
 * It comes back when a stream ends or breaks, and is dead after an answer that is no event stream.
 */
export class Source {
  events = []
  /** The status of the answer that it died of. */
  dead
  /** Whether it has no connection, and is going to have one. */
  isWaiting = false
  isOpen = false
  #url
  #controller = new AbortController()
  #lastEventId = ''
  #retry = 100

  constructor (url) {
    this.#url = url
    this.done = this.#run()
  }

  close () {
    this.#controller.abort()
    return this.done
  }

  async #run () {
    const { signal } = this.#controller
    while (!signal.aborted) {
      try {
        await this.#once(signal)
      } catch {
        // The connection broke.
      }
      this.isOpen = false
      if (this.dead !== undefined || signal.aborted) return
      this.isWaiting = true
      await wait(this.#retry, undefined, { signal }).catch(() => {})
      this.isWaiting = false
    }
  }

  async #once (signal) {
    const headers = { accept: 'text/event-stream', ...(this.#lastEventId && { 'last-event-id': this.#lastEventId }) }
    const response = await fetch(this.#url, { headers, signal })
    if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
      this.dead = response.status
      return response.body?.cancel()
    }
    const parser = createParser({
      onRetry: retry => { this.#retry = retry },
      onEvent: ({ event, data, id }) => {
        if (id !== undefined) this.#lastEventId = id
        if (event === undefined) this.events.push(data)
        if (event === undefined || event === 'chirp:open') this.isOpen = true
      }
    })
    const decoder = new TextDecoder()
    for await (const chunk of response.body) parser.feed(decoder.decode(chunk, { stream: true }))
  }
}

// One client of the soak: it comes, stalls, leaves without a word and comes back with its cursor.
import http from 'node:http'
import { createGunzip } from 'node:zlib'
import { createParser } from 'eventsource-parser'
import { Watch } from './watch.js'

const agent = new http.Agent({ keepAlive: false, maxSockets: Infinity })
const COME_BACK = 200

export class Member {
  #port
  #path
  #random
  #takesGzip
  #cursor = ''
  #request
  #timer
  #isQuiet = false
  #asked = 0
  isOpen = false
  connects = 0
  stalls = 0

  constructor (port, kind, user, random) {
    this.#port = port
    this.#path = `/${kind}?user=${user}`
    this.#random = random
    this.#takesGzip = random() < 0.5
    this.watch = new Watch(kind, user)
    this.#connect()
  }

  /** Why it is not open. */
  get absence () {
    const { connecting, readyState } = this.#request.socket ?? {}
    const socket = connecting ? 'connects' : readyState ?? 'has no socket'
    return `${this.#path}: not open, asked ${Math.round(performance.now() - this.#asked)} ms ago, its socket ${socket}`
  }

  /** From now on it stays, and takes what it gets. */
  settle () {
    this.#isQuiet = true
    // One that is away comes back.
    if (!this.isOpen) return
    clearTimeout(this.#timer)
    this.#body.resume()
  }

  /** From now on it is itself again. */
  stir () {
    this.#isQuiet = false
    if (this.isOpen) this.#plan()
  }

  #body

  #connect () {
    this.connects++
    this.#asked = performance.now()
    const headers = { accept: 'text/event-stream', ...(this.#takesGzip && { 'accept-encoding': 'gzip' }), ...(this.#cursor !== '' && { 'last-event-id': this.#cursor }) }
    const request = this.#request = http.get({ host: '127.0.0.1', port: this.#port, path: this.#path, agent, headers }, (response) => {
      const isZipped = response.headers['content-encoding'] === 'gzip'
      if (isZipped !== this.#takesGzip) this.watch.faults.push(`${this.#path}: it is ${isZipped ? '' : 'not '}compressed`)
      // One that is cut has no end.
      const body = this.#body = isZipped ? response.pipe(createGunzip()).on('error', (error) => { this.#misread(error) }) : response
      this.isOpen = true
      body.setEncoding('utf8')
      const parser = createParser({ onEvent: (event) => { this.watch.event(event) } })
      body.on('data', (text) => {
        // What is decompressed after a client has left was never read: the next connection brings it.
        if (this.#body !== body) return
        this.#remember(text)
        parser.feed(text)
      })
      response.on('error', () => {})
      response.on('close', () => { this.#lost() })
      if (response.statusCode !== 200) this.watch.faults.push(`${this.#path}: status ${response.statusCode}`)
      this.#plan()
    })
    request.on('error', () => { if (!this.isOpen) this.#lost() })
  }

  // As an EventSource does: an id counts when its event is complete, and an event without data has one too.
  #rest = ''
  #id
  #remember (text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) {
      if (line.startsWith('id: ')) this.#id = line.slice(4)
      else if (line === '' && this.#id !== undefined) {
        this.#cursor = this.#id
        this.#id = undefined
      }
    }
  }

  #misread ({ code, message }) {
    if (code !== 'Z_BUF_ERROR') this.watch.faults.push(`${this.#path}: ${message}`)
  }

  #lost () {
    clearTimeout(this.#timer)
    this.isOpen = false
    this.#rest = ''
    this.#id = this.#body = undefined
    this.#timer = setTimeout(() => { this.#connect() }, COME_BACK * (0.5 + this.#random()))
  }

  #plan () {
    if (this.#isQuiet) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#random() < 0.5) return this.#request.destroy()
      this.stalls++
      this.#body.pause()
      this.#timer = setTimeout(() => {
        this.#body?.resume()
        this.#plan()
      }, 500 + 4000 * this.#random())
    }, 1000 + 15_000 * this.#random())
  }
}

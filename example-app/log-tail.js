// Keeps the last lines of the app's own log for the page. It is the stream
// that Fastify's logger (pino) writes to: one line of JSON for each call.
import { bytes, clock, seconds } from './format.js'

const KEEP = 60
// A page that shows the log must not be able to drown in it, not even when
// showing a line fails and that is logged too.
const LINES_PER_SECOND = 25

const LEVELS = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }

export class LogTail {
  /** Tells our lines from those of the process before us. */
  boot = Date.now().toString(36)
  #hub
  #logTo
  #lines = []
  #seq = 0
  #second = 0
  #inSecond = 0

  constructor (hub, logTo) {
    this.#hub = hub
    this.#logTo = logTo
  }

  /** Called by pino. */
  write (json) {
    this.#logTo?.write(json)
    const record = JSON.parse(json)
    if (!this.#hasRoom(record.time)) return
    const line = { seq: ++this.#seq, ...readable(record) }
    this.#lines.push(line)
    if (this.#lines.length > KEEP) this.#lines.shift()
    this.#hub.publish('line', line)
  }

  /** The lines after number `seq`, oldest first. */
  after (seq) {
    return this.#lines.filter(line => line.seq > seq)
  }

  get lastSeq () {
    return this.#seq
  }

  #hasRoom (time) {
    const second = Math.floor(time / 1000)
    if (second !== this.#second) [this.#second, this.#inSecond] = [second, 0]
    return ++this.#inSecond <= LINES_PER_SECOND
  }
}

// Anyone can put anything into a URL or a message; the template escapes it.
function readable (record) {
  const { level, time, msg, method, url, status, ms, reason, err } = record
  const line = { level: LEVELS[level] ?? 'info', time: clock(time), text: cut(msg ?? ''), detail: '' }
  if (method !== undefined) {
    Object.assign(line, { text: `${method} ${cut(url)}`, detail: `${status} in ${ms.toFixed(1)} ms` })
  } else if (reason !== undefined) {
    line.detail = `${reason} after ${seconds(record.duration / 1000)}, ${record.events} events, ${bytes(record.bytes)}`
  } else if (err !== undefined) {
    line.detail = cut(err.message)
  } else if (url !== undefined) {
    line.detail = cut(url)
  }
  return line
}

function cut (text) {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

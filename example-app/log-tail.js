// Keeps the last lines of the app's own log for the page. It is the stream
// that Fastify's logger (pino) writes to: one line of JSON for each call.
import { Fragment } from 'fastify-chirp'
import { bytes, clock, seconds } from './format.js'

const KEEP = 60
// A page that shows the log must not be able to drown in it, not even when
// showing a line fails and that is logged too.
const LINES_PER_SECOND = 25

const LEVELS = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }

export class LogTail {
  channel
  // Oldest first.
  #lines = []
  // Tells our lines from those of the process before us.
  #boot = Date.now().toString(36)
  #logTo
  #seq = 0
  #second = 0
  #inSecond = 0

  constructor (logTo) {
    this.#logTo = logTo
  }

  /** From now on the lines can be followed. */
  open (app) {
    this.channel = app.channel('log', { history: KEEP })
  }

  /** What a new page shows, oldest first. */
  latest () {
    return this.#lines
  }

  /** Called by pino. */
  write (json) {
    this.#logTo?.write(json)
    const record = JSON.parse(json)
    if (!this.#hasRoom(record.time)) return
    const line = { id: `line-${this.#boot}-${++this.#seq}`, ...readable(record) }
    this.#lines = [...this.#lines, line].slice(-KEEP)
    this.channel?.publish(new Fragment('station.html', 'line', { line }, { target: 'log', swap: 'beforeend' }))
  }

  #hasRoom (time) {
    const second = Math.floor(time / 1000)
    if (second !== this.#second) [this.#second, this.#inSecond] = [second, 0]
    return ++this.#inSecond <= LINES_PER_SECOND
  }
}

// Anyone can put anything into a URL or a message; the template escapes it.
function readable (record) {
  const { level, time, msg, method, url, status, ms, reason, state, err } = record
  const line = { level: LEVELS[level] ?? 'info', time: clock(time), text: cut(msg ?? ''), detail: '' }
  if (method !== undefined) {
    Object.assign(line, { text: `${method} ${cut(url)}`, detail: `${status} in ${ms.toFixed(1)} ms` })
  } else if (reason !== undefined) {
    line.detail = `${reason} after ${seconds(record.duration / 1000)}, ${record.events} events, ${bytes(record.bytes)}`
  } else if (state !== undefined) {
    line.detail = `${state} after ${seconds(record.duration / 1000)}, ${record.events} events`
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

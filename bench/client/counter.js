// Counts the events in a raw HTTP/1.1 response. It undoes the chunked
// encoding, because a chunk may end anywhere in an event.

const LF = 10
const CR = 13
const LOWER_D = 100

const HEAD = 0
const SIZE = 1
const DATA = 2
const AFTER_DATA = 3
const DONE = 4

const TAIL = 256

export class EventCounter {
  /** Events with data; a comment or a lone retry is none. */
  events = 0
  /** Bytes as received, head and chunk sizes included. */
  bytes = 0
  /** Milliseconds from the connection's start to the first event; set by the client. */
  firstEvent

  #state = HEAD
  #head = ''
  #size = 0
  #left = 0
  #atLineStart = true
  #hasData = false
  #tail = Buffer.alloc(0)

  get done () {
    return this.#state === DONE
  }

  /** The last bytes as received. */
  get tail () {
    return this.#tail.toString('latin1')
  }

  push (chunk) {
    this.bytes += chunk.length
    this.#tail = chunk.length >= TAIL
      ? Buffer.from(chunk.subarray(-TAIL))
      : Buffer.concat([this.#tail, chunk]).subarray(-TAIL)
    let at = this.#state === HEAD ? this.#readHead(chunk) : 0
    while (at < chunk.length && this.#state !== DONE) {
      if (this.#state === DATA) at = this.#readData(chunk, at)
      else this.#readFrame(chunk[at++])
    }
  }

  #readHead (chunk) {
    const before = this.#head.length
    this.#head += chunk.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end === -1) return chunk.length
    if (!/^HTTP\/1\.1 200 /.test(this.#head)) throw new Error(`unexpected answer: ${this.#head.slice(0, 200)}`)
    if (!/\r\ntransfer-encoding: chunked\r\n/i.test(this.#head.slice(0, end + 2))) throw new Error('the answer is not chunked')
    if (!/\r\ncontent-type: text\/event-stream/i.test(this.#head)) throw new Error('the answer is no event stream')
    this.#state = SIZE
    return end + 4 - before
  }

  // One byte of a chunk size, or of the line end behind a chunk.
  #readFrame (byte) {
    if (byte === CR) return
    if (byte !== LF) {
      this.#size = this.#size * 16 + Number.parseInt(String.fromCharCode(byte), 16)
    } else if (this.#state === AFTER_DATA) {
      this.#state = SIZE
    } else {
      this.#left = this.#size
      this.#state = this.#size === 0 ? DONE : DATA
      this.#size = 0
    }
  }

  #readData (chunk, at) {
    const end = Math.min(chunk.length, at + this.#left)
    this.#left -= end - at
    let atLineStart = this.#atLineStart
    let hasData = this.#hasData
    for (; at < end; at++) {
      const byte = chunk[at]
      if (byte === LF) {
        if (atLineStart) {
          if (hasData) this.events++
          hasData = false
        }
        atLineStart = true
      } else {
        // Only `data` starts with a d.
        if (atLineStart && byte === LOWER_D) hasData = true
        atLineStart = false
      }
    }
    this.#atLineStart = atLineStart
    this.#hasData = hasData
    if (this.#left === 0) this.#state = AFTER_DATA
    return end
  }
}

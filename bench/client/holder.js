// The client of the fan-out suite: it holds thousands of connections and
// counts what arrives, as cheaply as it can. It shares a machine with the
// server, so it parses nothing: all sockets read into one buffer, and the mark
// that ends every payload is looked for there.
import net from 'node:net'
import { answer } from '../lib/answer.js'
import { MARK } from '../lib/payloads.js'
import { repeat } from './repeat.js'

const PARALLEL = 50
const TIMEOUT = 20_000
const READ_SIZE = 64 * 1024

const mark = MARK.charCodeAt(0)

// One byte more than is read: a mark behind what arrived ends every search.
const memory = Buffer.alloc(READ_SIZE + 1)
const onread = memory.subarray(0, READ_SIZE)

let open = 0
let counted = 0
let lost = 0
let wanted = Infinity
let reached = () => {}

answer({
  /** Opens connections until there are so many, and resolves when each has an answer. */
  async hold ({ port, path, connections }) {
    await repeat(connections - open, PARALLEL, () => get(port, path))
  },

  /** Waits until `total` events have arrived, all connections together. */
  async until ({ total }) {
    if (counted < total) {
      await new Promise((resolve) => {
        wanted = total
        reached = resolve
        setTimeout(resolve, TIMEOUT).unref()
      })
      wanted = Infinity
    }
    if (counted !== total) throw new Error(`${counted} instead of ${total} deliveries arrived, and ${lost} connections were closed`)
  }
})

function get (port, path) {
  return new Promise((resolve, reject) => {
    let answered = false
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: onread, callback } })
    const timer = setTimeout(() => reject(new Error(`no answer to ${path} within ${TIMEOUT / 1000} s`)), TIMEOUT)

    function callback (size) {
      if (answered) {
        count(size)
        return true
      }
      answered = true
      clearTimeout(timer)
      const head = memory.toString('latin1', 0, Math.min(size, 500))
      if (/^HTTP\/1\.1 200 .*\r\ncontent-type: text\/event-stream/is.test(head)) {
        open++
        resolve()
      } else reject(new Error(`unexpected answer: ${head}`))
      return true
    }

    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`)
    socket.on('error', reject)
    socket.on('close', () => {
      lost++
      clearTimeout(timer)
      reject(new Error(`${path} was closed early`))
    })
  })
}

function count (size) {
  memory[size] = mark
  for (let at = memory.indexOf(mark); at !== size; at = memory.indexOf(mark, at + 1)) counted++
  if (counted >= wanted) reached()
}

// What shared compression would bring: bytes and CPU of one gzip member for each batch, made once for all streams, against
// a gzip stream for each connection that is flushed after each event. In one process, without sockets, so that only
// compression is measured: node bench/compress.js
import { randomInt } from 'node:crypto'
import { constants, createGzip, deflateRawSync } from 'node:zlib'

const STREAMS = 1000
const EVENTS = 20
const { Z_FULL_FLUSH, Z_SYNC_FLUSH } = constants

const WORDS = 'the order was sent to a customer who waits for news of delivery and may call when it is late again today'.split(' ')
const word = () => WORDS[randomInt(WORDS.length)]
const sentence = length => {
  let text = ''
  while (text.length < length) text += `${word()} `
  return text
}

/** A table row for each of some orders, about 2 kB. */
function html (n) {
  let rows = ''
  for (let row = 0; rows.length < 1900; row++) {
    rows += `<tr id="order-${n}-${row}" class="order order--open"><td class="order__number">${randomInt(1e6)}</td><td class="order__text">${sentence(30)}</td><td><button class="button button--small" hx-post="/orders/${randomInt(1e6)}/close">Close</button></td></tr>`
  }
  return rows
}
const json = n => JSON.stringify({ id: randomInt(1e6), symbol: word(), price: randomInt(1e5) / 100, size: randomInt(1000), at: 1764000000000 + n, text: sentence(100) })

const frames = data => Array.from({ length: EVENTS }, (_, n) => Buffer.from(`event: news\nid: abcdefgh-${n}\ndata: ${data(n)}\n\n`))

function cpu (run) {
  const before = process.cpuUsage()
  const result = run()
  const { user, system } = process.cpuUsage(before)
  return [result, (user + system) / 1000]
}

async function cpuOf (run) {
  const before = process.cpuUsage()
  const result = await run()
  const { user, system } = process.cpuUsage(before)
  return [result, (user + system) / 1000]
}

/** One block for each batch, which ends at a byte and needs nothing that came before. */
function shared (list, level) {
  let bytes = 0
  for (const frame of list) {
    const block = deflateRawSync(frame, { level, finishFlush: Z_FULL_FLUSH })
    // What all sockets get; the loop stands for the delivery.
    for (let stream = 0; stream < STREAMS; stream++) bytes += block.length
  }
  return bytes / STREAMS
}

/** The streams in groups, because 1,000 contexts at once are 270 MB. */
async function alone (list, level) {
  let bytes = 0
  for (let done = 0; done < STREAMS; done += 100) {
    const gzips = Array.from({ length: 100 }, () => {
      const gzip = createGzip({ level, flush: Z_SYNC_FLUSH })
      gzip.on('data', chunk => { bytes += chunk.length })
      return gzip
    })
    for (const frame of list) await Promise.all(gzips.map(gzip => new Promise(resolve => { gzip.write(frame, resolve) })))
    for (const gzip of gzips) gzip.close()
  }
  return bytes / STREAMS
}

for (const [name, data] of [['HTML 2 kB', html], ['JSON 200 B', json]]) {
  const list = frames(data)
  const plain = list.reduce((sum, { length }) => sum + length, 0)
  for (const level of [1, 6]) {
    cpu(() => shared(list, level))
    const [ours, oursTime] = cpu(() => shared(list, level))
    const [theirs, theirsTime] = await cpuOf(() => alone(list, level))
    const each = bytes => `${Math.round(bytes / EVENTS)} B (${(bytes / plain).toFixed(2)})`
    console.log(`${name}, level ${level}: plain ${Math.round(plain / EVENTS)} B; shared ${each(ours)}, ${(oursTime / EVENTS).toFixed(2)} ms an event; ` +
      `for each connection ${each(theirs)}, ${(theirsTime / EVENTS).toFixed(2)} ms; CPU ${(theirsTime / oursTime).toFixed(0)}x`)
  }
}

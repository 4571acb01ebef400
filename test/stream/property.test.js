// Random data over a real socket, cut into random pieces on its way: what is
// read is what was yielded, and nothing else.
import http from 'node:http'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import t from 'tap'
import { Fragment, SSEEvent } from 'fastify-chirp'
import { buildApp, listen } from '../helpers/app.js'

// fast-check prints the seed and the smallest case that fails; FC_SEED tries another.
const seed = Number(process.env.FC_SEED ?? 20250611)
const check = (property, numRuns) => fc.assert(property, { seed, numRuns, endOnFailure: false })

// What has a meaning on the wire, or more than one byte there.
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  fc.constantFrom('\r', '\n', '\r\n', '\n\r', '\r\r', '\n\n', '\r\n\r\n', '\0', '\ufeff', '\ud800', '\udc00', '\u2028', '\u2029', '\u0085',
    '\v', '\f', ' ', ':', 'é', '豆', '😀', 'data: x', 'event: x\n', 'id: 1\r', 'retry: 5\n\n', ': comment', '\ud83d', '\ude00')
)
const text = fc.array(piece, { maxLength: 10 }).map(pieces => pieces.join(''))
// Around the size that writes are joined to, in characters of one to four bytes.
const large = fc.tuple(
  fc.constantFrom('x', 'é', '豆', '😀', 'a\r', '\n', '\ud800'),
  fc.oneof(fc.integer({ min: 16300, max: 16400 }), fc.integer({ min: 5400, max: 5500 }), fc.integer({ min: 1000, max: 60000 }))
).map(([unit, size]) => unit.repeat(Math.ceil(size / unit.length)))

const name = text.map(text => text.replace(/[\r\n\0]/g, '').toWellFormed())
// eslint-disable-next-line no-control-regex
const id = fc.oneof(name.map(name => name.replace(/[\u0000-\u001f\u007f]/g, '').trim()).filter(id => Buffer.byteLength(id) <= 1024), fc.maxSafeInteger(), fc.bigInt())
const retry = fc.integer({ min: 0, max: 2147483647 })
const json = fc.oneof(fc.jsonValue({ stringUnit: 'binary' }), fc.record({ text }), fc.array(text, { maxLength: 3 })).filter(value => typeof value !== 'string')
const fields = fc.record({ data: fc.oneof(text, json), event: name, id, retry }, { requiredKeys: ['data'] })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ text }) },
  { weight: 1, arbitrary: fc.record({ text: large }) },
  { weight: 2, arbitrary: fc.record({ json }) },
  { weight: 4, arbitrary: fc.record({ fields }) },
  { weight: 1, arbitrary: fc.record({ checkpoint: id }) },
  { weight: 1, arbitrary: fc.record({ unfit: fc.constantFrom(undefined, Symbol('x'), 1n, Buffer.from('data: x\n\n')) }) }
)
const plan = fc.record({
  steps: fc.array(fc.tuple(step, fc.constantFrom('', '', 'microtask', 'tick', 'immediate', 'timer')), { maxLength: 12 }),
  source: fc.constantFrom('async', 'sync', 'web'),
  event: fc.option(name.filter(name => name !== ''), { nil: undefined }),
  comments: fc.boolean(),
  cuts: fc.integer()
})

const pauses = {
  '': () => {},
  microtask: () => Promise.resolve(),
  tick: () => new Promise(resolve => process.nextTick(resolve)),
  immediate: () => new Promise(resolve => setImmediate(resolve)),
  timer: () => wait(1)
}

function toValue ({ text, json, fields, checkpoint, ...rest }) {
  if ('unfit' in rest) return rest.unfit
  if (fields !== undefined) return new SSEEvent(fields)
  if (checkpoint !== undefined) return new SSEEvent({ id: checkpoint })
  return text ?? json
}

const sources = {
  async * async ({ steps }) {
    for (const [step, pause] of steps) {
      await pauses[pause]()
      yield toValue(step)
    }
  },
  * sync ({ steps }) {
    for (const [step] of steps) yield toValue(step)
  },
  web ({ steps }) {
    const values = sources.async({ steps })
    return new ReadableStream({
      async pull (controller) {
        const { done, value } = await values.next()
        if (done) controller.close()
        else controller.enqueue(value)
      }
    })
  }
}

/** What a client sees of a plan. */
function expected ({ steps, event: defaultName }) {
  const received = { events: [], retries: [] }
  for (const [{ text, json, fields }] of steps) {
    if (fields !== undefined) {
      const { data, event, id, retry } = fields
      received.events.push({ data: normalize(data), event: event || undefined, id: id === undefined ? undefined : String(id) })
      if (retry !== undefined) received.retries.push(retry)
    } else if (text !== undefined || json !== undefined) {
      received.events.push({ data: normalize(text ?? json), event: defaultName, id: undefined })
    }
  }
  return received
}

// The only two things that a stream cannot carry: CR, and half a character.
function normalize (data) {
  return typeof data === 'string' ? data.replace(/\r\n|\r/g, '\n').toWellFormed() : JSON.stringify(data)
}

/** Whole numbers below `limit`, the same ones for the same start (mulberry32). */
function random (state) {
  return limit => {
    state = (state + 0x6d2b79f5) | 0
    let n = Math.imul(state ^ (state >>> 15), 1 | state)
    n = (n + Math.imul(n ^ (n >>> 7), 61 | n)) ^ n
    return ((n ^ (n >>> 14)) >>> 0) % limit
  }
}

/** Parts of `bytes`, cut anywhere: within a character, a line end, a chunk of HTTP. */
function * cut (bytes, below) {
  // Many single bytes in what is small, and not too many parts of what is large.
  const longest = 1 + Math.ceil(bytes.length / 60)
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + below(longest)
    yield bytes.subarray(start, end)
    start = end
  }
}

/** Between a client and the app; what comes from the app leaves in other pieces. */
async function startProxy (t, port, plans) {
  const server = net.createServer(client => {
    const upstream = net.connect(port, '127.0.0.1')
    upstream.setNoDelay()
    client.setNoDelay()
    client.pipe(upstream)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    const below = random(plans.current.cuts)
    let sending = Promise.resolve()
    const forward = async bytes => {
      let parts = 0
      for (const part of cut(bytes, below)) {
        client.write(part)
        if (++parts < 8) await new Promise(resolve => setImmediate(resolve))
      }
    }
    upstream.on('data', bytes => { sending = sending.then(() => forward(bytes)) })
    upstream.on('end', () => { sending.then(() => client.end()) })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return server.address().port
}

/** Reads a stream with a parser that is not ours, in pieces. */
async function read (port, path, cuts) {
  const received = { events: [], retries: [], comments: 0 }
  const parser = createParser({
    onEvent: ({ data, event, id }) => received.events.push({ data, event, id }),
    onRetry: retry => received.retries.push(retry),
    onComment: () => received.comments++,
    onError: error => received.events.push({ error: String(error) })
  })
  const decoder = new TextDecoder()
  const below = random(cuts + 1)
  const response = await new Promise((resolve, reject) => http.get({ port, path, agent: false }, resolve).on('error', reject))
  received.status = response.statusCode
  for await (const chunk of response) {
    for (const part of cut(chunk, below)) parser.feed(decoder.decode(part, { stream: true }))
  }
  parser.feed(decoder.decode())
  return received
}

t.test('what is read is what was yielded, however it was yielded and however it is cut', async t => {
  const app = await buildApp(t, {}, { logger: false })
  const plans = { current: undefined }
  app.addHook('onRequest', async (request, reply) => {
    if (!plans.current.comments) return
    const { raw } = reply
    const { write } = raw
    let isBetween = true
    // Somebody between the app and the client may keep the line busy with any comment.
    raw.write = text => {
      const noise = isBetween ? ': noise é豆\r\n\r\n:\r' : ''
      isBetween = text.endsWith('\n\n')
      return write.call(raw, noise + text)
    }
  })
  app.get('/', (request, reply) => {
    const { source, event } = plans.current
    return reply.eventStream(sources[source](plans.current), event === undefined ? undefined : { event })
  })
  const port = await startProxy(t, await listen(app), plans)
  await check(fc.asyncProperty(plan, async plan => {
    plans.current = plan
    const { events, retries, status, comments } = await read(port, '/', plan.cuts)
    const wanted = expected(plan)
    if (status !== 200) throw new Error(`status ${status}`)
    if (comments < (plan.comments ? 3 : 1)) throw new Error(`${comments} comments`)
    same({ events, retries }, wanted)
  }), 200)
  t.pass(`seed ${seed}`)
})

t.test('several clients of one app do not get into each other\'s streams', async t => {
  const app = await buildApp(t, {}, { logger: false })
  let plans
  app.get('/:n', (request, reply) => {
    const plan = plans[request.params.n]
    return reply.eventStream(sources[plan.source](plan), plan.event === undefined ? undefined : { event: plan.event })
  })
  const port = await listen(app)
  await check(fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 6 }), async given => {
    plans = given
    const all = await Promise.all(given.map((plan, n) => read(port, `/${n}`, plan.cuts)))
    for (const [n, { events, retries }] of all.entries()) same({ events, retries }, expected(given[n]))
  }), 25)
  t.pass(`seed ${seed}`)
})

const surrounded = middle => fc.tuple(text, middle, text).map(parts => parts.join(''))
const badName = surrounded(fc.constantFrom('\r', '\n', '\r\n', '\0', '\nid: 1', '\n\ndata: injected\n\n', '\rdata: injected\r\r', 'x\ud800x', 'x\udc00x'))
const badId = fc.oneof(badName, surrounded(fc.constantFrom('\t', '\u0001', '\u001f', '\u007f')),
  name.map(name => ` ${name}`), name.map(name => `${name} `), fc.integer({ min: 1025, max: 3000 }).map(length => 'x'.repeat(length)),
  fc.double({ noInteger: true }), fc.constantFrom(null, true, 2 ** 53, -(2 ** 53), NaN, Infinity, [], {}, ['1'], new Date(0), Object('1')))
const badRetry = fc.oneof(fc.integer({ max: -1 }), fc.integer({ min: 2147483648, max: Number.MAX_SAFE_INTEGER }), fc.double({ noInteger: true }), text,
  fc.constantFrom(null, true, 1n, NaN, Infinity, [], [5], '5', '5\ndata: injected'))
const badFields = fc.tuple(fc.oneof(
  badName.map(event => ({ event })), badId.map(id => ({ id })), badRetry.map(retry => ({ retry }))
), fc.record({ data: text }, { requiredKeys: [] })).map(([bad, good]) => ({ ...good, ...bad }))

t.test('what does not fit into a field is always refused, and no byte of it reaches the wire', async t => {
  const app = await buildApp(t, { debug: true, templates: 'test/fixtures/views' }, { logger: false })
  let fields
  app.get('/', (request, reply) => reply.eventStream(function * () {
    try {
      yield new SSEEvent(fields)
    } catch (error) {
      yield error.code
    }
    try {
      yield new Fragment('list.html', 'items', {}, { target: fields.event, id: fields.id, retry: fields.retry })
    } catch (error) {
      yield error.code
    }
  }))
  app.get('/options', (request, reply) => reply.eventStream(['a'], { event: fields.event, closeEvent: fields.event, retry: fields.retry }))
  const port = await listen(app)
  const get = path => new Promise((resolve, reject) => {
    http.get({ port, path, agent: false }, response => {
      let body = ''
      response.setEncoding('latin1').on('data', chunk => { body += chunk }).on('end', () => resolve({ status: response.statusCode, body }))
    }).on('error', reject)
  })
  await check(fc.asyncProperty(badFields, async given => {
    fields = given
    same(await get('/'), { status: 200, body: ': open\ndata: FST_CHIRP_EVENT\n\ndata: FST_CHIRP_FRAGMENT\n\n' })
    if (given.event === undefined && given.retry === undefined) return
    const { status, body } = await get('/options')
    same({ status, code: JSON.parse(body).code }, { status: 500, code: 'FST_CHIRP_OPTION' })
  }), 300)
  t.pass(`seed ${seed}`)
})

// A tap assertion for each run would print thousands of lines; this one throws, so that fast-check can look for a smaller case.
function same (actual, wanted) {
  const [a, b] = [actual, wanted].map(value => JSON.stringify(value))
  if (a !== b) throw new Error(`read   ${a.slice(0, 2000)}\nwanted ${b.slice(0, 2000)}`)
}

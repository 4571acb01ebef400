// What engines, filters and outlets rarely do: each of them costs what it concerns and nothing else.
import t from 'tap'
import { setImmediate as turn } from 'node:timers/promises'
import { Fragment, kAttach, merge } from 'fastify-chirp'
import { JobTrack } from '../../dist/channel/job-track.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { recordProblem } from '../../dist/channel/stored.js'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { Context } from '../../dist/stream/context.js'
import { buildApp, until } from '../helpers/app.js'
import { dataOf, take } from '../helpers/channel.js'
import { TestClient } from '../helpers/client.js'
import { AsyncEngine, engineWith } from '../helpers/engine.js'
import { views } from '../helpers/live.js'

const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ err }) => err.message)

/** An outlet that notes what it gets. */
function outlet (methods) {
  const noted = []
  return { dialect: htmx2, isBlocked: false, noted, isFull: () => false, flush () {}, send: text => { noted.push(text) }, share: ({ text }) => { noted.push(text) }, ended () {}, failed: error => { noted.push(error) }, ...methods }
}

t.test('an engine that cannot give the newest values is told of', async t => {
  const app = await buildApp(t, { engine: engineWith({ latest: async () => { throw new Error('out of reach') } }) })
  const client = new TestClient(app, { listen: true })
  const channel = app.channel('a', { latest: true })
  app.get('/', (request, reply) => reply.eventStream(channel))
  const stream = await client.open('/')
  await until(() => errorsOf(app).some(message => message.includes('out of reach')))
  await channel.publish('heard')
  t.match(await stream.next(), { data: 'heard' })
})

t.test('a reader who makes another one leave does not keep its events from the others', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a', { latest: true, every: 1 })
  const leaving = new AbortController()
  const leave = () => { leaving.abort(); return true }
  const [first, second] = [channel.subscribe({ filter: leave }), channel.subscribe({ filter: leave, signal: leaving.signal })].map(part => part[Symbol.asyncIterator]())
  await channel.publish('one', { audience: 1 })
  t.equal((await first.next()).value.record.data, 'one')
  t.same(await second.next(), { done: true, value: undefined })
  await first.return()
})

t.test('a part of a merge that fails at once takes the others with it', async t => {
  const app = await buildApp(t)
  const client = new TestClient(app, { listen: true })
  const attached = []
  const failing = name => ({
    locate: async () => ({ from: `${name}-1`, last: `${name}-1` }),
    [kAttach] (outlet) {
      attached.push(name)
      outlet.failed(new Error('no more'))
      return { detach () {} }
    }
  })
  app.get('/', (request, reply) => reply.eventStream(merge(failing('a'), failing('b'))))
  const { events, ended } = await client.sse('/')
  t.match(events.at(-1), { event: 'chirp:error' })
  t.equal(ended, true)
  t.same(attached, ['a'])
})

t.test('the end of a job in a record is checked', async t => {
  t.equal(recordProblem({ version: 1, end: { state: 'ended' } }), undefined)
  t.equal(recordProblem({ version: 1, end: { state: 'failed', message: 'why' } }), undefined)
  for (const end of [null, 5, {}, { state: 'else' }, { state: 'failed', message: 5 }]) {
    t.equal(recordProblem({ version: 1, end }), 'the end of its record must be an object with a state', JSON.stringify(end))
  }
})

t.test('a channel of a name of ours has a topic of its own', async t => {
  const memory = new MemoryEngine()
  const topics = []
  const app = await buildApp(t, { engine: engineWith({ publish: (topic, publication) => { topics.push(topic); return memory.publish(topic, publication) } }) })
  await app.channel('chirp:control').publish('a')
  await app.channel('mine').publish('a')
  t.same(topics, ['chirp:channel:chirp:control', 'mine'])
})

t.test('an outlet that fails while an event is brought to its viewer has failed', async t => {
  const env = views({ 'page.html': '{% block item %}{{ viewer | later }}{% endblock %}' })
  const app = await buildApp(t, { templates: env })
  const channel = app.channel('a', { viewer: true })
  const failing = outlet({ send () { throw new Error('cannot be written') }, share () { throw new Error('cannot be written') }, noteGap: () => ({}) })
  const following = channel.subscribe({ viewer: 'ann', lastEventId: '' })
  following[kAttach]({ ...failing, ids: { key: () => '', of: () => undefined, note () {}, noteStart: () => false } }, '')
  await channel.publish(new Fragment('page.html', 'item', {}))
  await until(() => env.waiting.length === 1)
  env.answer()
  await until(() => failing.noted.length > 0)
  t.match(failing.noted, [{ message: 'cannot be written' }])
  t.equal(channel.size, 0)
})

t.test('a job that a source keeps busy can be stopped', async t => {
  const app = await buildApp(t)
  const job = app.job('busy', function * () { for (;;) yield 'more' }, { history: 5 })
  await turn()
  t.equal(await job.stop(), 'stopped')
})

t.test('a job is not started when the app closes, whatever its source is', async t => {
  const app = await buildApp(t)
  await app.close()
  let isClosed = false
  const source = (function * () { try { yield 1 } finally { isClosed = true } })()
  source.next()
  t.throws(() => app.job('a', source), { code: 'FST_CHIRP_JOB' })
  t.equal(isClosed, true)
  t.throws(() => app.job('b', function * () {}), { code: 'FST_CHIRP_JOB' })
  t.throws(() => app.job('c', (async function * () {})()), { code: 'FST_CHIRP_JOB' })
})

t.test('a stream of a job has the cursor of its reader for heartbeats', async t => {
  const app = await buildApp(t)
  const job = app.job('a', async function * () { yield 'one'; await new Promise(() => {}) })
  const attachment = job[kAttach](outlet(), '')
  t.equal(attachment.cursor(), undefined)
  attachment.detach()
})

t.test('events of a job that the engine lost are a gap', async t => {
  const memory = new MemoryEngine()
  const app = await buildApp(t, { engine: engineWith({ listen: (topic, listener) => memory.listen(topic, event => { if (event.record.data !== 'lost') listener(event) }), publish: (...given) => memory.publish(...given), read: (...given) => memory.read(...given) }) })
  const client = new TestClient(app, { listen: true })
  let goOn
  const job = app.job('a', async function * () {
    yield 'first'
    await new Promise(resolve => { goOn = resolve })
    yield 'lost'
    yield 'last'
  })
  app.get('/', (request, reply) => reply.eventStream(job))
  const stream = await client.open('/')
  t.same(dataOf(await take(stream, 1)), ['first'])
  goOn()
  t.match(await stream.next(), { event: 'chirp:gap' })
  t.match(await stream.next(), { data: 'last' })
})

for (const merged of [false, true]) {
  t.test(`a job whose beginning could not be followed tells a gap, ${merged ? 'in a merge' : 'alone'}`, async t => {
    const engine = new AsyncEngine()
    let isAway = true
    const app = await buildApp(t, {
      engine: engineWith({
        publish: (...given) => engine.publish(...given),
        listen: (...given) => engine.listen(...given),
        read: async (topic, ...given) => {
          if (isAway && topic.startsWith('chirp:job:')) throw new Error('away')
          return engine.read(topic, ...given)
        }
      })
    })
    const client = new TestClient(app, { listen: true })
    let goOn
    const job = app.job('a', async function * () {
      yield 'unknown'
      await new Promise(resolve => { goOn = resolve })
      yield 'known'
    })
    await until(() => goOn !== undefined)
    isAway = false
    app.get('/', (request, reply) => reply.eventStream(merged ? merge(job, app.channel('other')) : job))
    const stream = await client.open('/')
    await until(() => app.eventStreams.open === 1)
    const gap = merged ? undefined : await stream.next()
    if (!merged) t.match(gap, { event: 'chirp:gap' })
    if (merged) for (let n = 0; n < 20; n++) await turn()
    goOn()
    for (let event; event?.data !== 'known';) event = await stream.next()
    t.equal(await job.done, 'ended')
  })
}

t.test('what a source of a job throws when it is stopped is told', async t => {
  const app = await buildApp(t)
  const never = new Promise(() => {})
  const job = app.job('a', { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { throw new Error('cleanup') } }) })
  await job.stop()
  await until(() => app.log.lines.some(({ err }) => err?.message === 'cleanup'))
})

for (const fails of [false, true]) {
  t.test(`a client that leaves before a job was found is done, ${fails ? 'also when it cannot be found' : 'whatever is found'}`, async t => {
    const memory = new MemoryEngine()
    let reads = 0
    let answer
    const app = await buildApp(t, {
      engine: engineWith({
        publish: (...given) => memory.publish(...given),
        listen: (...given) => memory.listen(...given),
        read: async (...given) => {
          if (++reads > 1) await new Promise((resolve, reject) => { answer = fails ? () => reject(new Error('away')) : resolve })
          return memory.read(...given)
        }
      })
    })
    const job = app.job('a', async function * () { yield 'one'; await new Promise(() => {}) })
    await until(() => reads === 1)
    const gone = outlet()
    const attachment = job[kAttach](gone, '')
    await until(() => answer !== undefined)
    attachment.detach()
    answer()
    for (let n = 0; n < 10; n++) await turn()
    t.same(gone.noted, [])
  })
}

t.test('the end of a job that is told and then refused is one end', async t => {
  const memory = new MemoryEngine()
  const app = await buildApp(t, {
    engine: engineWith({
      listen: (...given) => memory.listen(...given),
      read: (...given) => memory.read(...given),
      publish: async (topic, publication) => {
        const event = memory.publish(topic, publication)
        if (publication.record.end !== undefined) throw new Error('no answer')
        return event
      }
    })
  })
  const client = new TestClient(app, { listen: true })
  const job = app.job('a', ['one'])
  app.get('/', (request, reply) => reply.eventStream(job, { closeEvent: 'done' }))
  t.equal(await job.done, 'ended')
  await until(() => errorsOf(app).some(message => message.includes('no answer')))
  t.same((await client.sse('/')).events.map(({ event, data }) => event ?? data), ['one', 'done'])
})

t.test('what is known of a job never waits for anybody', async t => {
  const track = new JobTrack(5, () => {})
  t.equal(track.isBlocked, false)
  track.flush()
  await track.whenDrained()
})

t.test('a replay for a viewer waits for a client that does not read', async t => {
  const env = views({ 'page.html': '{% block item %}{{ n }} {{ viewer }}{% endblock %}' })
  const app = await buildApp(t, { templates: env })
  const channel = app.channel('a', { viewer: true })
  const item = n => channel.publish(new Fragment('page.html', 'item', { n }))
  const first = await item(0)
  for (let n = 1; n < 4; n++) await item(n)
  let drain
  const slow = outlet({ isBlocked: true, whenDrained: () => new Promise(resolve => { drain = resolve }), noteGap: () => ({}) })
  const attachment = channel.subscribe({ viewer: 'ann', lastEventId: first })[kAttach](slow, '')
  await until(() => drain !== undefined)
  slow.isBlocked = false
  drain()
  await until(() => slow.noted.join('').includes('3 ann'))
  t.match(slow.noted.join(''), /1 ann.*2 ann.*3 ann/s)
  attachment.detach()
})

t.test('a stream that is over is not the first of a page after a gap', async t => {
  const app = await buildApp(t)
  let contexts
  app.get('/', request => {
    contexts = [new Context(request, true), new Context(request, false), new Context(request, false)]
    contexts[2].settle()
    return 'ok'
  })
  await app.inject('/?chirp-gap=1&lastEventId=')
  for (const context of contexts) {
    t.equal(context.isAfterGap, true)
    context.release()
    t.equal(context.isAfterGap, false)
  }
})

t.test('an iterator that gives a promise which is rejected, and cannot be closed', async t => {
  const app = await buildApp(t)
  const client = new TestClient(app, { listen: true })
  app.get('/', (request, reply) => reply.eventStream({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: Promise.reject(new Error('no value')) }), return () { throw new Error('no end') } }) }))
  const { ended } = await client.sse('/')
  t.equal(ended, true)
  await until(() => errorsOf(app).includes('no value'))
})

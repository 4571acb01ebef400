// Jobs: work that does not end with its client. On the engine in memory, and on those that take their time.
import { setTimeout as wait } from 'node:timers/promises'
import { Readable } from 'node:stream'
import t from 'tap'
import { Fragment, SSEEvent, merge } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp, never, until } from '../helpers/app.js'
import { dataOf, environment, take } from '../helpers/channel.js'
import { AsyncEngine, engineWith } from '../helpers/engine.js'
import { controlled } from '../helpers/raw.js'

/** Waits until this process has heard of the last event: some engines tell of it later than it can be read. */
async function heard (job, count) {
  let newest = ''
  await until(() => {
    job.cursor().then(cursor => { newest = cursor })
    return newest.endsWith(`-${count}`)
  })
}

const END = { event: 'done', data: '' }

async function build (t, options, fastify) {
  const app = await buildApp(t, options, fastify)
  app.get('/jobs/:id', { live: true }, (request, reply) => {
    const job = app.job(request.params.id)
    return job === undefined ? reply.code(404).send('no such job') : reply.eventStream(job, { closeEvent: 'done' })
  })
  const client = new TestClient(app, { listen: true })
  return { app, client, read: (id, options) => client.sse(`/jobs/${id}`, { timeout: 5000, ...options }) }
}

const ENGINES = { none: () => undefined, async: () => new AsyncEngine(), 'async that lags': () => new AsyncEngine({ lag: true }) }

for (const [name, create] of Object.entries(ENGINES)) {
  t.test(`engine: ${name}`, async t => {
    t.test('an answer survives a lost connection, a reload and a second tab', async t => {
      const { app, client, read } = await build(t, { engine: create() })
      const words = controlled()
      const job = app.job('answer', words.source)
      await until(() => words.opened === 1, 'it runs although nobody looks')
      t.equal(app.job('answer', () => { throw new Error('not called') }), job)
      words.give('a')
      words.give('b')
      const tab = await client.open('/jobs/answer')
      const first = await take(tab, 2)
      t.same(dataOf(first), ['a', 'b'])
      tab.close()
      await until(() => app.eventStreams.open === 0)
      words.give('c')
      const back = await client.open('/jobs/answer', { lastEventId: first[1].id })
      const reload = await client.open('/jobs/answer')
      t.same(dataOf(await take(back, 1)), ['c'])
      t.same(dataOf(await take(reload, 3)), ['a', 'b', 'c'])
      words.end()
      t.equal(await job.done, 'ended')
      t.equal(job.state, 'ended')
      for (const stream of [back, reload]) {
        t.match(await stream.next(), END)
        t.equal(await stream.next(), undefined)
      }
      const { events } = await read('answer')
      t.same(dataOf(events), ['a', 'b', 'c', ''], 'an ended job is replayed')
      const later = await read('answer', { lastEventId: await job.cursor() })
      t.match([later.events, later.ended], [[END], true])
      t.equal(later.events.length, 1)
      t.equal(app.eventStreams.errors, 0)
    })

    t.test('a stop button stops it, and its streams end', async t => {
      const { app, client, read } = await build(t, { engine: create() }, { logger: undefined })
      let reason
      let isWaiting = false
      const job = app.job('answer', async function * ({ signal }) {
        yield 'a'
        try {
          isWaiting = true
          await wait(600_000, undefined, { signal })
        } catch {
          reason = signal.reason
          yield 'dropped'
        }
      })
      const stream = await client.open('/jobs/answer')
      t.equal((await stream.next()).data, 'a')
      // With an engine that takes its time the client may have it first.
      await until(() => isWaiting)
      t.equal(job.stop(), job.done)
      t.equal(job.state, 'stopped')
      t.equal(await job.stop(), 'stopped')
      t.match(await stream.next(), END)
      t.equal(await stream.next(), undefined)
      t.equal(reason.name, 'AbortError')
      t.same(dataOf((await read('answer')).events), ['a', ''])
      t.equal(app.eventStreams.errors, 0)
    })

    t.test('an import: progress, a row that fails, and a failure of the whole', async t => {
      const { env: templates } = environment()
      const { app, read } = await build(t, { engine: create(), templates })
      const job = app.job('import', async function * () {
        for (const row of ['one', 'two', undefined, 'three']) {
          try {
            if (row === undefined) throw new Error('bad row')
            yield new Fragment('item.html', 'item', { name: row }, { target: 'rows' })
          } catch (error) {
            yield new Fragment('item.html', 'item', { name: error.message }, { target: 'errors' })
          }
        }
        yield undefined
        yield new SSEEvent({ data: 'brought', id: 'own-id' })
        throw new Error('secret')
      })
      t.equal(await job.done, 'failed')
      t.equal(app.eventStreams.errors, 2, 'the value that cannot be sent, and the failure')
      const { events, ended } = await read('import')
      t.same(events.map(({ event, data }) => [event, data]), [
        ['rows', '<b>one</b>'], ['rows', '<b>two</b>'], ['errors', '<b>bad row</b>'], ['rows', '<b>three</b>'], [undefined, 'brought'],
        ['chirp:error', 'Internal Server Error'], ['done', '']
      ])
      t.ok(ended)
      const again = await read('import', { lastEventId: 'own-id' })
      t.same(again.events.map(({ event }) => event), ['chirp:error', 'done'])
      t.equal(app.eventStreams.errors, 2, 'counted once, however many follow')
    })

    t.test('history that does not reach back is a gap, and what is left follows', async t => {
      const { app, read } = await build(t, { engine: create() })
      const job = app.job('long', Array.from({ length: 200 }, (_, n) => n), { history: 2 })
      await job.done
      await heard(job, 200)
      for (const lastEventId of [undefined, 'nonsense']) {
        const { events } = await read('long', { lastEventId })
        const [gap, ...rest] = events
        t.equal(gap.event, 'chirp:gap')
        t.same(JSON.parse(gap.data), { requested: lastEventId ?? '', resumedFrom: gap.id })
        t.same(dataOf(rest), ['198', '199', ''])
      }
      const none = app.job('none', ['a'], { history: 0 })
      await none.done
      await heard(none, 1)
      t.same((await read('none')).events.map(({ event }) => event), ['chirp:gap', 'done'])
    })

    t.test('it is forgotten after keep, and a new one of its id shares nothing with it', async t => {
      const { app, client, read } = await build(t, { engine: create() })
      const words = controlled()
      const job = app.job('a', words.source, { keep: 0 })
      words.give('old')
      const stream = await client.open('/jobs/a')
      const { id } = await stream.next()
      words.give('last')
      words.end()
      await job.done
      t.equal(app.job('a'), undefined)
      t.equal((await read('a')).status, 404)
      t.same(dataOf(await take(stream, 2)), ['last', ''], 'a reader of now has it all')
      const next = app.job('a', ['new'], { keep: 500 })
      t.not(next, job)
      const { events } = await read('a', { lastEventId: id })
      t.same(dataOf(events.slice(1)), ['new', ''])
      t.equal(events[0].event, 'chirp:gap')
      await until(() => app.job('a') === undefined)
      await until(() => app.eventStreams.open === 0)
    })

    t.test('it is merged with channels', async t => {
      const { app, client } = await build(t, { engine: create() })
      const words = controlled()
      const job = app.job('a', words.source)
      const news = app.channel('job:a')
      app.get('/merged', (request, reply) => reply.eventStream(merge(news, job)))
      words.give('one')
      const stream = await client.open('/merged')
      const first = await stream.next()
      t.equal(first.data, 'one', 'from its first event')
      // With an engine that takes its time it is not known at once where the channel is.
      await until(() => stream.lastEventId.includes('~'))
      await news.publish('news')
      t.equal((await stream.next()).data, 'news')
      stream.close()
      words.give('two')
      const back = await client.open('/merged', { lastEventId: stream.lastEventId })
      t.equal((await back.next()).data, 'two')
      words.end()
      await job.done
      await news.publish('more')
      t.equal((await back.next()).data, 'more')
      news.close()
      t.equal(await back.next(), undefined, 'it ends when both have')
      const gone = await client.sse('/merged', { lastEventId: back.lastEventId })
      t.ok(gone.ended)
    })

    t.test('a merge hears of a history that does not reach back', async t => {
      const { app, client } = await build(t, { engine: create() })
      const job = app.job('a', Array.from({ length: 200 }, (_, n) => n), { history: 1 })
      await job.done
      await heard(job, 200)
      app.get('/merged', (request, reply) => reply.eventStream(merge(job, app.channel('x'))))
      const stream = await client.open('/merged')
      t.equal((await stream.next()).event, 'chirp:gap')
      t.equal((await stream.next()).data, '199')
      stream.close()
      const lost = await client.open('/merged', { lastEventId: 'nonsense' })
      t.equal((await lost.next()).event, 'chirp:gap')
      lost.close()
    })
  })
}

t.test('bad input is refused, and a source that is not used is closed', async t => {
  const { app } = await build(t)
  for (const id of ['', 7, undefined, null]) t.throws(() => app.job(id, []), { code: 'FST_CHIRP_OPTION', message: /a job needs an id/ })
  for (const source of [7, 'text', null, {}]) t.throws(() => app.job('a', source), { code: 'FST_CHIRP_SOURCE' })
  for (const options of [{ keep: -1 }, { keep: false }, { history: 1.5 }, { histroy: 1 }, null]) t.throws(() => app.job('a', [], options), { code: 'FST_CHIRP_OPTION' })
  t.equal(app.job('a'), undefined)
  let closed = 0
  const source = async function * () {
    try {
      yield 'a'
      await never
    } finally {
      closed++
    }
  }
  const running = source()
  const job = app.job('a', running)
  t.equal(app.job('a', running), job, 'the one that runs is not closed')
  const other = new Readable({ read () {} })
  t.equal(app.job('a', other), job)
  t.ok(other.destroyed)
  t.equal(closed, 0)
  t.equal(job.state, 'running')
  t.throws(() => app.job('a', 7), { code: 'FST_CHIRP_SOURCE' })
  job.stop()
})

t.test('sources of all kinds, and those that fail at once', async t => {
  const { app, read } = await build(t, { debug: true })
  const list = (id, source) => app.job(id, source).done
  t.equal(await list('promise', async () => ['a']), 'ended')
  t.equal(await list('readable', () => Readable.from(['a'])), 'ended')
  t.equal(await list('web', new ReadableStream({ start: controller => { controller.enqueue('a'); controller.close() } })), 'ended')
  t.equal(await list('sync', function * () { for (let n = 0; n < 600; n++) yield n }), 'ended')
  for (const id of ['promise', 'readable', 'web']) t.same(dataOf((await read(id)).events), ['a', ''])
  t.equal((await read('sync')).events.length, 601)
  t.equal(await list('throws', () => { throw new Error('at once') }), 'failed')
  t.equal(await list('no source', () => 7), 'failed')
  t.equal(await list('no result', { [Symbol.asyncIterator]: () => ({ next: () => 7 }) }), 'failed')
  t.match((await read('throws')).events[0], { event: 'chirp:error', data: 'at once' })
  t.equal(app.eventStreams.errors, 3)
})

t.test('app.close() stops all, waits for them, and drops what comes later', async t => {
  const lines = []
  const logger = { level: 'debug', stream: { write: line => { lines.push(JSON.parse(line)) } } }
  const { app, client } = await build(t, { shutdownGrace: 300 }, { logger })
  const steps = []
  let refused
  app.addHook('onClose', async () => {
    try {
      app.job('new', ['a'])
    } catch (error) {
      refused = error
    }
    t.throws(() => app.job('new', () => []), { code: 'FST_CHIRP_JOB' })
  })
  app.job('good', async function * ({ signal, log }) {
    log.info('at work')
    try {
      yield 'a'
      await wait(600_000, undefined, { signal })
    } finally {
      await wait(20)
      steps.push('cleaned up')
    }
  })
  let give
  app.job('deaf', async function * () {
    await new Promise(resolve => { give = resolve })
    yield 'late'
  })
  app.job('rude', async function * ({ signal }) {
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    throw new Error('rude')
  })
  app.job('slow start', ({ signal }) => new Promise(resolve => signal.addEventListener('abort', () => resolve(['late']))))
  const ended = app.job('ended', ['a'])
  await ended.done
  const stream = await client.open('/jobs/good')
  await stream.next()
  await app.close()
  t.match(await stream.next(), { event: 'chirp:closing' }, 'its clients are to come back')
  t.same(steps, ['cleaned up'])
  t.equal(refused.code, 'FST_CHIRP_JOB')
  t.match(lines.find(({ msg }) => msg === 'at work'), { job: 'good' })
  t.same(lines.filter(({ msg }) => /does not heed/.test(msg)).length, 1)
  t.ok(lines.some(({ msg, err }) => /failed after the job was stopped/.test(msg) && err.message === 'rude'))
  t.equal(app.job('good'), undefined)
  t.equal(await ended.done, 'ended')
  give()
  await until(() => lines.some(({ level, msg }) => level === 20 && /dropped/.test(msg)))
})

t.test('an engine that fails costs neither the work nor the end of a stream', async t => {
  const memory = new MemoryEngine()
  const broken = { publish: false, read: false }
  const guard = verb => (...given) => {
    if (broken[verb]) throw new Error('out of reach')
    return memory[verb](...given)
  }
  const { app, client, read } = await build(t, { engine: engineWith({ publish: guard('publish'), read: guard('read'), listen: (...given) => memory.listen(...given) }) })
  const words = controlled()
  const job = app.job('a', words.source)
  words.give('a')
  const stream = await client.open('/jobs/a')
  t.equal((await stream.next()).data, 'a')
  broken.publish = true
  words.give('lost')
  words.end()
  t.equal(await job.done, 'ended')
  t.match(await stream.next(), END)
  t.same(dataOf((await read('a')).events), ['a', ''])
  broken.read = true
  const other = app.job('b', ['x'])
  await other.done
  t.equal((await client.sse('/jobs/b')).events[0].event, 'chirp:error')
  await t.rejects(other.cursor(), { code: 'FST_CHIRP_ENGINE' })
  broken.read = broken.publish = false
  t.equal((await client.sse('/jobs/b')).events[0].event, 'chirp:gap')
})

t.test('a job whose channel has gone ends the streams that still have it', async t => {
  const { app, client } = await build(t)
  const job = app.job('a', ['a'], { keep: 0 })
  await job.done
  await until(() => app.job('a') === undefined)
  app.get('/gone', (request, reply) => reply.eventStream(job, { closeEvent: 'done' }))
  let answer
  // The channel goes when its end is known, which an engine may tell later.
  await until(async () => {
    answer = await client.sse('/gone')
    return answer.events.length === 1
  })
  t.match([answer.events, answer.ended], [[END], true])
})

t.test('a logger without children', async t => {
  const { app } = await build(t)
  app.log.child = () => { throw new Error('no') }
  t.equal(await app.job('a', ['a']).done, 'ended')
})

// Jobs over processes: one runs, all can find it, stream it and stop it.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { merge } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, until } from '../helpers/app.js'
import { dataOf, take } from '../helpers/channel.js'
import { controlled } from '../helpers/raw.js'
import { engineOn, startRedis } from '../helpers/redis.js'

const server = await startRedis(t)
let prefixes = 0

async function build (t, count = 2, plugin) {
  const prefix = `jobs${++prefixes}:`
  return await Promise.all(Array.from({ length: count }, async () => {
    const app = await buildApp(t, { engine: engineOn(server, { prefix }), ...plugin })
    app.get('/jobs/:id', { live: true }, (request, reply) => {
      const job = app.job(request.params.id)
      return job === undefined ? reply.code(404).send('no such job') : reply.eventStream(job, { closeEvent: 'done' })
    })
    app.get('/merged/:id', { live: true }, (request, reply) => reply.eventStream(merge(app.channel('news'), app.job(request.params.id)), { closeEvent: 'done' }))
    await app.ready()
    return { app, client: new TestClient(app, { listen: true }) }
  }))
}

t.test('a job is found, streamed and stopped in any process', async t => {
  const [a, b] = await build(t)
  t.equal(b.app.job('answer'), undefined)
  const words = controlled()
  const job = a.app.job('answer', words.source)
  t.equal(job.state, 'running')
  words.give('one')
  await until(() => b.app.job('answer') !== undefined)
  const other = b.app.job('answer')
  t.equal(b.app.job('answer'), other)
  let isClosed = false
  const unused = (async function * () { yield 'never' })()
  unused.return = () => { isClosed = true; return {} }
  t.equal(b.app.job('answer', unused), other, 'it is not started again')
  t.ok(isClosed)
  const stream = await b.client.open('/jobs/answer')
  t.equal((await stream.next()).data, 'one')
  words.give('two')
  const { id } = await stream.next()
  stream.close()
  words.give('three')
  const back = await a.client.open('/jobs/answer', { lastEventId: id })
  t.equal((await back.next()).data, 'three', 'a cursor holds everywhere')
  const again = await b.client.open('/jobs/answer')
  t.same(dataOf(await take(again, 3)), ['one', 'two', 'three'], 'a reload shows all of it')
  t.equal(await other.cursor(), await job.cursor())
  const merged = await b.client.open('/merged/answer')
  t.same(dataOf(await take(merged, 3)), ['one', 'two', 'three'])
  merged.close()
  t.equal(await other.stop(), 'stopped')
  t.equal(await job.done, 'stopped')
  t.equal(other.state, 'stopped')
  for (const stream of [back, again]) {
    t.equal((await stream.next()).event, 'done')
    t.equal(await stream.next(), undefined)
  }
  const later = await b.client.sse('/jobs/answer', { timeout: 5000 })
  t.same(dataOf(later.events), ['one', 'two', 'three', ''], 'it is kept')
})

t.test('of processes that start it at the same moment one does', async t => {
  const apps = await build(t, 3)
  for (let round = 0; round < 10; round++) {
    const id = `race${round}`
    let started = 0
    const jobs = apps.map(({ app }, n) => app.job(id, async function * () {
      started++
      yield `from ${n}`
      await wait(5)
    }, { keep: 60000 }))
    t.same(await Promise.all(jobs.map(({ done }) => done)), ['ended', 'ended', 'ended'])
    t.equal(started, 1)
    const streams = await Promise.all(apps.map(({ client }) => client.sse(`/jobs/${id}`, { timeout: 5000 })))
    for (const { events } of streams) t.same(dataOf(events), dataOf(streams[0].events))
    t.equal(streams[0].events.length, 2)
  }
})

t.test('one that starts it while it cannot claim it yet follows the other', async t => {
  const [a] = await build(t, 1)
  const engine = engineOn(server, { prefix: `jobs${prefixes}:` })
  const { listen } = engine
  let open
  const gate = new Promise(resolve => { open = resolve })
  engine.listen = async (topic, ...given) => {
    const stop = await listen.call(engine, topic, ...given)
    if (topic.includes('slow')) await gate
    return stop
  }
  const late = await buildApp(t, { engine })
  await late.ready()
  const heard = []
  const following = (async () => { for await (const { data } of late.channel('news').subscribe()) heard.push(data) })()
  const words = controlled()
  const own = late.job('slow', () => { throw new Error('not called') })
  const job = a.app.job('slow', words.source)
  words.give('one')
  await job.cursor()
  // What comes behind the claim has come.
  await until(() => { a.app.channel('news').publish('x'); return heard.length > 0 })
  open()
  await own.cursor()
  t.same([job.state, own.state], ['running', 'running'])
  words.end()
  t.same(await Promise.all([job.done, own.done]), ['ended', 'ended'])
  t.same(late.log.lines.filter(({ level }) => level > 30), [])
  late.channel('news').close()
  await following
})

t.test('it is forgotten everywhere after keep, and its id is free', async t => {
  const [a, b] = await build(t)
  const job = a.app.job('a', ['old'], { keep: 300 })
  await until(() => b.app.job('a') !== undefined)
  t.equal(await b.app.job('a').done, 'ended')
  await until(() => b.app.job('a') === undefined)
  t.equal(a.app.job('a'), undefined)
  const next = b.app.job('a', ['new'])
  t.equal(await next.done, 'ended')
  await until(() => a.app.job('a') !== undefined)
  t.not(a.app.job('a'), job)
  t.same(dataOf((await a.client.sse('/jobs/a', { timeout: 5000 })).events), ['new', ''])
})

t.test('what becomes of a job that is not kept is known everywhere', async t => {
  const [a, b] = await build(t)
  const words = controlled()
  const job = a.app.job('short', words.source, { keep: 0 })
  await until(() => b.app.job('short') !== undefined)
  const { done } = b.app.job('short')
  words.end()
  t.same(await Promise.all([job.done, done]), ['ended', 'ended'])
  await until(() => b.app.job('short') === undefined)
  a.app.job('short', controlled().source, { keep: 0 })
  await until(() => b.app.job('short') !== undefined)
  t.equal(await b.app.job('short').stop(), 'stopped')
  await until(() => b.app.job('short') === undefined)
})

t.test('a process that comes late reads what is left of a history that is too short', async t => {
  const [a] = await build(t, 1)
  const prefix = `jobs${prefixes}:`
  const words = controlled()
  a.app.job('long', words.source, { history: 20 })
  for (let n = 1; n <= 55; n++) words.give(String(n))
  const late = await buildApp(t, { engine: engineOn(server, { prefix }) })
  late.get('/', (request, reply) => reply.eventStream(late.job('long'), { closeEvent: 'done' }))
  await late.ready()
  await until(() => a.app.job('long') !== undefined)
  await until(async () => (await a.app.job('long').cursor()) !== '')
  words.end()
  t.equal(await a.app.job('long').done, 'ended')
  const { events } = await new TestClient(late).sse('/', { timeout: 5000 })
  t.equal(events[0].event, 'chirp:gap')
  t.same(dataOf(events).slice(-3), ['54', '55', ''])
  t.ok(events.length >= 10, `${events.length} events`)
})

t.test('a source that fails is told everywhere; a job may be stopped before it has begun', async t => {
  const [a, b] = await build(t, 2, { debug: true })
  const job = a.app.job('bad', async function * () {
    yield 'a'
    throw new Error('no luck')
  })
  await until(() => b.app.job('bad') !== undefined)
  t.equal(await b.app.job('bad').done, 'failed')
  t.equal(await job.done, 'failed')
  const { events } = await b.client.sse('/jobs/bad', { timeout: 5000 })
  t.same(events.map(({ event, data }) => event ?? data), ['a', 'chirp:error', 'done'])
  const early = a.app.job('early', () => { throw new Error('not called') })
  t.equal(await early.stop(), 'stopped')
  t.equal(b.app.eventStreams.errors, 0)
})

t.test('an app that closes stops its jobs, also for those who follow elsewhere', async t => {
  const [a, b] = await build(t)
  a.app.job('a', async function * ({ signal }) {
    yield 'one'
    await wait(600_000, undefined, { signal }).catch(() => {})
  })
  await until(() => b.app.job('a') !== undefined)
  const stream = await b.client.open('/jobs/a')
  t.equal((await stream.next()).data, 'one')
  await a.app.close()
  t.equal((await stream.next()).event, 'done')
  t.equal(await b.app.job('a').done, 'stopped')
})

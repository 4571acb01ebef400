// Jobs that another process has, which is played here: it says what it likes, when it likes.
import t from 'tap'
import { toRecord } from '../../dist/channel/holding.js'
import { SILENCE } from '../../dist/channel/pulse.js'
import { toStored } from '../../dist/channel/stored.js'
import { JOBS_TOPIC, jobTopic } from '../../dist/channel/topics.js'
import { buildApp, never, until } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { AsyncEngine } from '../helpers/engine.js'

const FAILED = 'event: chirp:error\ndata: Internal Server Error\n'

/** An app that streams the job `a`, and the other process; `change` makes verbs of the app's engine of those of the shared one. */
async function build (t, options, change = () => {}) {
  const engine = new AsyncEngine({ random: () => 0 })
  const verbs = ['forget', 'publish', 'latest', 'hold', 'beat', 'evict', 'read', 'listen', 'close']
  const own = Object.fromEntries(verbs.map(verb => [verb, (...given) => engine[verb](...given)]))
  Object.assign(own, change(engine))
  const app = await buildApp(t, { engine: own, ...options })
  app.get('/', (request, reply) => reply.eventStream(app.job('a'), { closeEvent: 'done' }))
  await app.ready()
  const topic = jobTopic('a', 'theirs')
  const { last } = await engine.read(topic, '', 1)
  let note = { run: 'theirs', state: 'running', first: last, history: 10 }
  const hold = (data, since, owner = 'other') => engine.hold(JOBS_TOPIC, {
    owner, key: '"a"', record: toStored(toRecord({ owner, by: owner, key: 'a', data, since })), removes: data === undefined ? true : undefined
  })
  const other = {
    /** It has the job, since long ago. */
    say: changes => {
      note = { ...note, ...changes }
      return hold(note, 1)
    },
    leave: () => hold(undefined),
    hold,
    publish: record => engine.publish(topic, { record: toStored(record), audience: undefined, history: 10 })
  }
  return { app, other }
}

/** Reads a stream to its end, once it has begun. */
async function read (app) {
  const { open } = app.eventStreams
  const response = app.inject('/')
  while (app.eventStreams.open === open) await settle()
  await settle()
  return response.then(({ body }) => body)
}

for (const debug of [false, true]) {
  t.test(`a process that ends takes its job with it, with debug ${debug}`, async t => {
    let open
    const gate = new Promise(resolve => { open = resolve })
    const { app, other } = await build(t, { debug }, engine => ({
      read: async (topic, ...given) => {
        if (topic.includes('theirs')) await gate
        return engine.read(topic, ...given)
      }
    }))
    // Its stream has begun before, or not.
    if (debug) open()
    await other.say()
    await until(() => app.job('a') !== undefined)
    const job = app.job('a')
    const body = read(app)
    await until(() => app.eventStreams.open === 1)
    await settle()
    await other.leave()
    t.equal(await job.done, 'failed')
    t.equal(await job.stop(), 'failed')
    t.equal(app.job('a'), undefined)
    open()
    const frame = debug ? FAILED.replace('Internal Server Error', 'The process that ran this job has ended') : FAILED
    t.match(await body, frame)
    t.match(await body, 'event: done')
  })
}

/** A job that runs, and does not end. */
async function runForEver (app) {
  let isRunning = false
  const job = app.job('a', async function * () {
    isRunning = true
    await never
  })
  await until(() => isRunning)
  return job
}

t.test('an end that was not kept is told some time after its process has forgotten the job', async t => {
  const { app, other } = await build(t)
  await other.say()
  await until(() => app.job('a') !== undefined)
  const job = app.job('a')
  const clock = stopClock(t)
  const body = read(app)
  await settle()
  await settle()
  await other.say({ state: 'failed' })
  t.equal(await job.done, 'failed')
  await other.leave()
  await settle()
  t.equal(app.job('a'), undefined)
  t.equal(app.eventStreams.open, 1)
  await clock.pass(SILENCE)
  t.match(await body, 'event: chirp:error')
})

t.test('a history of which nothing is left begins with a gap', async t => {
  const { app, other } = await build(t)
  await other.say({ first: 'nonsense', mark: 'nonsense' })
  await until(() => app.job('a') !== undefined)
  const body = read(app)
  await until(() => app.eventStreams.open === 1)
  await settle()
  await other.publish({ data: 'one' })
  await other.publish({ end: { state: 'ended' } })
  t.equal(await app.job('a').done, 'ended')
  t.match(await body, /event: chirp:gap[^]*data: one\n[^]*event: done/)
})

t.test('the cursor of a job is that of its last event, also when its end is known', async t => {
  const { app, other } = await build(t)
  await other.say()
  await until(() => app.job('a') !== undefined)
  const job = app.job('a')
  const { position } = await other.publish({ data: 'one' })
  t.equal(await job.cursor(), position)
  await other.publish({ end: { state: 'ended' } })
  t.equal(await job.done, 'ended')
  t.equal(await job.cursor(), position)
  t.equal((await app.inject({ url: '/', headers: { 'last-event-id': position } })).body.includes('event: done'), true)
})

t.test('a job that has ended, of whose history nothing is left', async t => {
  const { app, other } = await build(t)
  await other.publish({ data: 'one' })
  await other.publish({ end: { state: 'ended' } })
  await other.say({ first: 'nonsense', state: 'ended' })
  await until(() => app.job('a') !== undefined)
  t.match((await app.inject('/')).body, /event: chirp:gap[^]*event: done/)
})

t.test('a job that another process has started first is stopped, and then forgotten', async t => {
  const { app, other } = await build(t, { shutdownGrace: 50 })
  const job = await runForEver(app)
  await other.say()
  t.equal(await job.done, 'stopped')
  t.match(app.log.lines.find(({ msg }) => msg === 'a job was stopped'), { err: { code: 'FST_CHIRP_JOB' } })
  await other.say()
  await until(() => app.job('a') !== job)
  t.equal(app.job('a').state, 'running')
})

t.test('of several that have a job the first counts, and one that runs before one that wants to', async t => {
  const { app, other } = await build(t)
  const say = (run, since, state = 'running') => other.hold({ run, state, first: '', history: 10 }, since, `process of ${run}`)
  const runs = async () => {
    await settle()
    return app.job('a').run
  }
  await say('third', 30, 'claimed')
  t.equal(await runs(), 'third')
  await say('fourth', 40)
  t.equal(await runs(), 'third')
  await say('tied claim', 30, 'claimed')
  t.equal(await runs(), 'third')
  await say('tied', 30)
  t.equal(await runs(), 'tied')
  await say('tied too', 30)
  t.equal(await runs(), 'tied')
  await say('first', 10)
  t.equal(await runs(), 'first')
})

t.test('a job is stopped by another process, whatever else that asks for', async t => {
  const { app, other } = await build(t, { shutdownGrace: 50 })
  const job = await runForEver(app)
  await other.hold({ stop: 'another run' })
  await settle()
  t.equal(job.state, 'running')
  await other.hold({ stop: job.run })
  t.equal(await job.done, 'stopped')
})

t.test('a process that asks another one to stop its job asks no more once it has', async t => {
  const { app, other } = await build(t)
  await other.say()
  await until(() => app.job('a') !== undefined)
  const stopped = app.job('a').stop()
  await settle()
  await other.say({ state: 'stopped' })
  t.equal(await stopped, 'stopped')
  await other.leave()
  await until(() => app.job('a') === undefined)
})

t.test('a claim that comes second does not run', async t => {
  const { app, other } = await build(t)
  let closed = false
  other.say()
  const source = (async function * () { yield 'never' })()
  source.return = async () => { closed = true; return {} }
  const job = app.job('a', source)
  await until(() => closed)
  t.ok(job.isElsewhere)
  other.say({ state: 'ended' })
  t.equal(await job.done, 'ended')
})

for (const debug of [false, true]) {
  t.test(`an engine that does not answer to a claim, with debug ${debug}`, async t => {
    const { app } = await build(t, { debug }, () => ({ hold: () => Promise.reject(new Error('out of reach')) }))
    const clock = stopClock(t)
    const job = app.job('a', () => { throw new Error('not called') })
    const unwanted = app.job('b', () => { throw new Error('not called') })
    unwanted.stop()
    await settle()
    t.equal(job.state, 'running')
    const body = read(app)
    await settle()
    await clock.pass(10000)
    t.equal(await job.done, 'failed')
    t.equal(await unwanted.done, 'stopped')
    t.match(await body, debug ? 'the engine cannot say' : FAILED)
    t.equal(app.log.lines.filter(({ msg }) => msg === 'a job did not start').length, 1)
  })
}

t.test('an app that closes settles what it has of jobs', async t => {
  let isOut = false
  const { app, other } = await build(t, { shutdownGrace: 50 }, engine => ({
    hold: (...given) => isOut ? never : engine.hold(...given),
    listen: (topic, ...given) => topic.includes('unheard') ? never : engine.listen(topic, ...given)
  }))
  await other.say()
  await until(() => app.job('a') !== undefined)
  const job = app.job('a')
  isOut = true
  const stopped = job.stop()
  const claimed = app.job('b', () => { throw new Error('not called') })
  const unheard = app.job('unheard', () => { throw new Error('not called') })
  await app.close()
  t.same(await Promise.all([stopped, claimed.done, unheard.done]), ['failed', 'stopped', 'stopped'])
})

// Processes that are killed, frozen and blocked: who was there leaves once, and what ran there fails for those who follow it.
import t from 'tap'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, quiet, until } from '../helpers/app.js'
import { startApps } from '../helpers/processes.js'
import { engineOn, startRedis } from '../helpers/redis.js'

t.setTimeout(120000)

const prefix = 'killed:'
const server = await startRedis(t)

async function build (t, topics = prefix) {
  const app = await buildApp(t, { engine: engineOn(server, { prefix: topics }) })
  app.get('/job', (request, reply) => reply.eventStream(app.job('work')))
  await app.ready()
  const people = app.channel('room').presence()
  const heard = []
  for (const event of ['join', 'leave']) people.on(event, ({ key }) => heard.push(`${event} ${key}`))
  return { app, people, heard }
}

/** As the clock of the test says it, and not how long a busy machine takes to look. */
const keysOf = ({ people }) => people.members().map(({ key }) => key).sort().join()

t.test('members of a process that is killed or frozen leave once, its jobs fail, and one that wakes up is back', async t => {
  const [killed, frozen] = await startApps(t, 2, { url: server.url, prefix })
  const watchers = [await build(t), await build(t)]
  const [a, b] = watchers
  await killed.call('join', 'ann')
  await killed.call('join', 'both')
  await frozen.call('join', 'bob')
  b.people.join('both')
  await killed.call('start', 'work')
  await until(() => a.app.job('work') !== undefined && watchers.every(watcher => keysOf(watcher) === 'ann,bob,both'))
  const job = a.app.job('work')
  const stream = await new TestClient(a.app, { listen: true }).open('/job')
  t.equal((await stream.next()).data, '1')
  const start = Date.now()
  frozen.signal('SIGSTOP')
  await killed.kill()
  let last
  for (let event = await stream.next(60000); event !== undefined; event = await stream.next(60000)) last = event
  t.match(last, { event: 'chirp:error', data: 'Internal Server Error' })
  t.equal(await job.done, 'failed')
  t.equal(a.app.job('work'), undefined, 'its id is free')
  await until(() => watchers.every(watcher => keysOf(watcher) === 'both'))
  t.ok(Date.now() - start >= 8000, 'a process that only stutters is left alone')
  const leaves = watchers.flatMap(({ heard }) => heard.filter(text => text.startsWith('leave'))).sort()
  t.same(leaves, ['leave ann', 'leave bob'], 'one of them tells it')
  frozen.signal('SIGCONT')
  await until(() => watchers.every(watcher => keysOf(watcher) === 'bob,both'))
  t.same((await frozen.call('heard')).filter(text => text.endsWith('bob')), ['join bob', 'join bob'], 'it has left, and is back')
})

t.test('Redis that comes back without its data is told again who is there, and nobody has left or come by that', async t => {
  const watchers = [await build(t, 'lost:'), await build(t, 'lost:'), await build(t, 'lost:')]
  const [a, b] = watchers
  a.people.join('ann', { info: 'Ann' })
  b.people.join('ann')
  b.people.join('eve')
  await until(() => watchers.every(({ people }) => people.members().find(({ key }) => key === 'ann')?.count === 2 && people.members().some(({ key }) => key === 'eve')))
  await until(() => [...a.heard, ...b.heard].length === 2 && b.people.members().every(({ key, info }) => key === 'eve' || info === 'Ann'))
  await quiet(50)
  await server.restart()
  const late = await build(t, 'lost:')
  await until(() => [...watchers, late].every(({ people }) => people.members().find(({ key }) => key === 'ann')?.count === 2 && people.members().some(({ key }) => key === 'eve')))
  await quiet(100)
  t.equal(late.people.members().find(({ key }) => key === 'ann').info, 'Ann', 'with the info of the first time')
  const told = [...watchers, late].flatMap(({ heard }) => heard.filter(text => text.endsWith('eve')))
  t.equal(told.filter(text => text.startsWith('leave')).length, told.filter(text => text.startsWith('join')).length - 1)
})

t.test('an app closes in time while Redis is away, with members, jobs and who has just come', async t => {
  const own = await startRedis(t)
  const app = await buildApp(t, { engine: engineOn(own, { commandTimeout: 500 }), shutdownGrace: 300 })
  await app.ready()
  const people = app.channel('room').presence()
  people.join('ann')
  const job = app.job('work', async function * ({ signal }) {
    yield 1
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  })
  await job.cursor()
  own.signal('SIGSTOP')
  people.join('bob')
  const unheard = app.job('other', () => { throw new Error('not called') })
  t.equal(people.size, 2)
  const start = Date.now()
  await app.close()
  t.ok(Date.now() - start < 10000)
  t.equal(job.state, 'stopped')
  t.equal(await unheard.done, 'stopped')
  own.signal('SIGCONT')
})

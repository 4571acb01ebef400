// A given engine at the moments that are easy to forget.
import t from 'tap'
import { Fragment, Fragments } from 'fastify-chirp'
import { MemoryEngine } from '../../dist/channel/memory.js'
import * as errors from '../../dist/errors.js'
import { until as waitUntil } from '../../dist/testing/engine/bench.js'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { engineWith } from '../helpers/engine.js'

t.test('an engine names the topic of a channel', async t => {
  const topics = []
  const memory = new MemoryEngine()
  const app = await buildApp(t, { engine: engineWith({ open: channel => `topic of ${channel}`, publish: (topic, publication) => { topics.push(topic); return memory.publish(topic, publication) } }) })
  await app.channel('a').publish('x')
  t.same(topics, ['topic of a'])
})

t.test('errors of the package are passed on as they are', async t => {
  for (const [error, code] of [[new errors.FST_CHIRP_ID('"x"', 'taken'), 'FST_CHIRP_ID'], [new errors.FST_CHIRP_ENGINE('publish', 'full'), 'FST_CHIRP_ENGINE']]) {
    const app = await buildApp(t, { engine: engineWith({ publish () { throw error } }) })
    t.equal(await app.channel('a').publish('x').catch(error => error), error, code)
  }
})

t.test('listen() that gives nothing to stop it with is an error of the engine', async t => {
  const app = await buildApp(t, { engine: engineWith({ listen: () => undefined }) })
  app.get('/', (request, reply) => reply.eventStream(app.channel('a')))
  t.equal((await new TestClient(app).sse('/')).events[0].event, 'chirp:error')
})

t.test('a channel that closes while its engine begins to listen is stopped when it does', async t => {
  let begin
  let stops = 0
  const app = await buildApp(t, { engine: engineWith({ listen: () => new Promise(resolve => { begin = () => resolve(() => { stops++ }) }) }) })
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  await new TestClient(app).open('/')
  await until(() => begin !== undefined)
  channel.close()
  begin()
  await until(() => stops === 1)
})

t.test('several fragments in one message travel as parts', async t => {
  const memory = new MemoryEngine()
  let record
  const app = await buildApp(t, {
    templates: t.testdir({ 'a.html': '{% block b %}<p>{{ n }}</p>{% endblock %}' }),
    engine: engineWith({ publish (topic, publication) { record = publication.record; return memory.publish(topic, publication) } })
  })
  const part = (n, target) => new Fragment('a.html', 'b', { n }, { target })
  await app.channel('a').publish(new Fragments([part(1, 'x'), part(2)]))
  t.strictSame(record, { version: 1, key: 'x\n', parts: [{ target: 'x', data: '<p>1</p>' }, { data: '<p>2</p>' }] })
})

t.test('a channel that closes while a new reader asks where it is ends that reader', async t => {
  let answer
  const app = await buildApp(t, { engine: engineWith({ read: () => new Promise(resolve => { answer = () => resolve({ from: undefined, entries: [], last: 'e-0' }) }) }) })
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const stream = await new TestClient(app).open('/')
  await until(() => answer !== undefined)
  channel.close()
  answer()
  await until(() => stream.ended)
  t.equal(channel.size, 0)
})

t.test('the suite gives up on what never comes', async t => {
  await t.rejects(waitUntil(() => false, 10), { message: 'timed out waiting until () => false' })
})

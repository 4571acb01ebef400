// The engine of docs/internals/engines.md, as an outsider would write it.
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { AsyncEngine, testEngine } from '../helpers/engine.js'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const docs = readFileSync(new URL('../../docs/internals/engines.md', import.meta.url), 'utf8')
const blocks = [...docs.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code)
const home = t.testdir({ 'engine.mjs': blocks[1], 'run.mjs': `import { MapEngine } from './engine.mjs'\n${blocks[2]}` })
const { MapEngine } = await import(pathToFileURL(`${home}/engine.mjs`))

testEngine(t, 'the engine of the docs', () => new MapEngine())

t.test('the suite runs in node:test', async t => {
  const output = execFileSync(process.execPath, ['--test', '--test-reporter=tap', fileURLToPath(pathToFileURL(`${home}/run.mjs`))], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined } })
  t.match(output, /^# fail 0$/m)
  t.match(output, /^# pass [1-9]/m)
})

t.test('the suite finds an engine that drops fields of a record', async t => {
  class Forgetful extends MapEngine {
    publish (topic, publication) {
      const { data, id, event, retry } = publication.record
      return super.publish(topic, { ...publication, record: { data, id, event, retry } })
    }
  }
  const { testEngine } = await import('fastify-chirp/testing/engine')
  const failed = []
  const runs = []
  testEngine({ create: () => new Forgetful(), test: (name, run) => { runs.push(run().catch(() => failed.push(name))) } })
  await Promise.all(runs)
  t.ok(failed.includes('a record is kept whole, with fields that the engine does not know'))
})

for (const [name, create] of [['the engine of the docs', () => new MapEngine()], ['an engine that takes its time', () => new AsyncEngine()]]) {
  t.test(`${name}: channels publish, replay and keep audiences over two apps`, async t => {
    const engine = create()
    // Two processes have the same topics; the helper names one for each channel.
    engine.open = undefined
    const apps = [await buildApp(t, { engine }), await buildApp(t, { engine })]
    for (const app of apps) app.get('/', (request, reply) => reply.eventStream(app.channel('a').subscribe({ filter: ({ user }) => user === 'ann' })))
    const [here, there] = apps.map(app => app.channel('a'))
    const stream = await new TestClient(apps[1]).open('/')
    // It tells its client where it starts.
    await until(() => stream.lastEventId !== '')
    const first = await here.publish('one')
    await there.publish(new SSEEvent({ data: 'two', id: 'own', event: 'e' }), { audience: { user: 'ann', left: undefined } })
    await here.publish('no', { audience: { user: 'bob' } })
    await here.publish({ three: 3 })
    const events = [await stream.next(), await stream.next(), await stream.next()]
    t.same(events.map(({ data, event }) => [data, event]), [['one', undefined], ['two', 'e'], ['{"three":3}', undefined]])
    t.equal(events[0].id, first)
    const again = await new TestClient(apps[0]).sse('/', { lastEventId: first, maxEvents: 2 })
    t.same(again.events, events.slice(1))
    stream.close()
    await apps[0].close()
    await there.publish('the other app goes on')
  })
}

// Registering the plugin more than once: in sibling scopes, inside of a registered scope, and twice in one.
import Fastify from 'fastify'
import t from 'tap'
import chirp, { Fragment, SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const outer = t.testdir({ outer: { 'a.html': '{% block b %}outer{% endblock %}' }, inner: { 'a.html': '{% block b %}inner{% endblock %}' } })
const templates = name => `${outer}/${name}`

for (const prefix of [undefined, '/in']) {
  t.test(`a scope inside of a registered one has options, counters and channels of its own: ${prefix}`, async t => {
    const app = await buildApp(t, { templates: templates('outer'), closeEvent: 'outer' })
    const handler = (request, reply) => reply.eventStream([new Fragment('a.html', 'b')])
    app.get('/outer', { referenced: true }, handler)
    let inner
    app.register(async scope => {
      await scope.register(chirp, { debug: false, retry: 7, templates: templates('inner'), closeEvent: 'inner' })
      inner = scope
      scope.get('/inner', { referenced: true }, handler)
      scope.get('/page', (request, reply) => reply.page('a.html'))
      scope.get('/channel', { referenced: true }, (request, reply) => reply.eventStream(scope.channel('news')))
      scope.get('/generated', { referenced: true }, async function * () { yield new Fragment('a.html', 'b') })
    }, { prefix })
    app.register(async scope => { scope.get('/sibling', { referenced: true }, handler) })
    await app.ready()
    const path = name => `${prefix ?? ''}/${name}`

    const client = new TestClient(app)
    t.same((await client.sse('/outer')).events, [{ data: 'outer' }, { event: 'outer', data: '' }])
    t.same((await client.sse('/sibling')).events, [{ data: 'outer' }, { event: 'outer', data: '' }])
    const open = { event: 'chirp:open', retry: 7, data: '' }
    for (const name of ['inner', 'generated']) {
      t.same((await client.sse(path(name))).events, [open, { data: 'inner' }, { event: 'inner', data: '' }], name)
    }
    t.equal((await app.inject(path('page'))).body, 'inner')
    t.match([app.eventStreams.total, inner.eventStreams.total], [2, 2])

    const stream = await client.open(path('channel'))
    t.same(await stream.next(), open)
    await until(() => inner.channel('news').size === 1)
    t.equal(app.channel('news').size, 0)
    const id = await inner.channel('news').publish(new SSEEvent({ data: 'x' }))
    t.match(await stream.next(), { data: 'x', id })

    const { issues } = await app.checkContracts()
    t.same(issues.map(({ message }) => message).filter((message, i, all) => all.indexOf(message) !== i), [], 'no finding comes twice')
    await app.close()
    t.match(await stream.next(), { event: 'chirp:closing' })
    t.equal(inner.eventStreams.open, 0)
  })
}

t.test('one scope, twice', async t => {
  for (const wrapped of [false, true]) {
    const app = Fastify()
    t.teardown(() => app.close())
    const register = async scope => {
      await scope.register(chirp)
      await scope.register(chirp, { templates: templates('outer') })
    }
    await t.rejects(async () => { await (wrapped ? app.register(register) : register(app)) }, {
      code: 'FST_CHIRP_REGISTERED',
      message: 'fastify-chirp is registered in this scope already. Register it once, with all options; for a part of the app that needs others register it again in that part: app.register(async scope => { await scope.register(chirp, options) })'
    })
  }
})

t.test('an inner scope first, then the one around it', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(async scope => {
    await scope.register(chirp, { retry: 1 })
    scope.get('/inner', { referenced: true }, (request, reply) => reply.eventStream(['a']))
  })
  app.register(chirp, { retry: 2 })
  app.after(() => { app.get('/outer', { referenced: true }, (request, reply) => reply.eventStream(['a'])) })
  t.match(await new TestClient(app).sse('/inner'), { retry: 1, ended: true })
  t.match(await new TestClient(app).sse('/outer'), { retry: 2, ended: true })
})

t.test('twelve scopes of an app on HTTP/2 add one listener to its server', async t => {
  const warned = []
  const onWarning = warning => { warned.push(warning.name) }
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const app = Fastify({ http2: true, http2SessionTimeout: 1000 })
  t.teardown(() => app.close())
  const before = app.server.listenerCount('connection')
  for (let i = 0; i < 12; i++) app.register(async scope => { await scope.register(chirp) }, { prefix: `/${i}` })
  await app.ready()
  t.equal(app.server.listenerCount('connection'), before + 1)
  await new Promise(resolve => setImmediate(resolve))
  t.same(warned, [])
})

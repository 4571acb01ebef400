// What Fastify does to new streams while it closes, and that a developer is told.
import t from 'tap'
import { buildApp, listen } from '../helpers/app.js'
import { controlled, dial, GET } from '../helpers/raw.js'

for (const [return503OnClosing, answer] of [[true, 'HTTP/1.1 503'], [false, 'event: chirp:closing']]) {
  t.test(`return503OnClosing: ${return503OnClosing}`, async t => {
    const lines = []
    const logger = { level: 'debug', stream: { write: line => { lines.push(JSON.parse(line)) } } }
    const app = await buildApp(t, { debug: true }, { return503OnClosing, logger })
    t.equal(lines.filter(({ msg }) => msg.includes('return503OnClosing: false')).length, return503OnClosing ? 1 : 0)
    app.get('/', { live: true }, (request, reply) => reply.eventStream(controlled().source))
    let closed
    const isClosing = new Promise(resolve => {
      // After the hook of the plugin: its streams are closed, and the server still listens.
      app.addHook('preClose', () => new Promise(_resolve => { closed = _resolve; resolve() }))
    })
    const client = await dial(await listen(app))
    const closing = app.close()
    await isClosing
    client.send(GET())
    await client.heard(answer)
    closed()
    await closing
  })
}

t.test('in production, and in a scope', async t => {
  const lines = []
  const logger = { level: 'debug', stream: { write: line => { lines.push(JSON.parse(line)) } } }
  const app = await buildApp(t, { debug: false }, { logger })
  t.same(lines.filter(({ msg }) => msg.includes('return503OnClosing')), [])
  await app.register(async scope => {
    await scope.register((await import('fastify-chirp')).default, { debug: true })
  })
  t.equal(lines.filter(({ msg }) => msg.includes('return503OnClosing')).length, 1)
})

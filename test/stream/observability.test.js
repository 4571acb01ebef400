// Diagnostics, log lines and counters of streams.
import diagnostics from 'node:diagnostics_channel'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { buildApp, listen, until } from '../helpers/app.js'
import { complaints } from '../helpers/complaints.js'
import { closeLines, controlled, dial, get, GET, troubles } from '../helpers/raw.js'

t.test('observability', async t => {
  function subscribe (t) {
    const messages = []
    for (const name of ['open', 'close', 'error']) {
      const listener = (message, channel) => messages.push([channel.replace('fastify-chirp:stream:', ''), message])
      diagnostics.subscribe(`fastify-chirp:stream:${name}`, listener)
      t.teardown(() => diagnostics.unsubscribe(`fastify-chirp:stream:${name}`, listener))
    }
    return messages
  }

  t.test('diagnostics: open, error and close, with what they are about', async t => {
    const messages = subscribe(t)
    const app = await buildApp(t)
    const error = new Error('no')
    let opened
    app.get('/news/:topic', (request, reply) => {
      opened = request
      return reply.eventStream(async function * () {
        yield 'é'
        yield undefined
        throw error
      })
    })
    const { body } = await get(await listen(app), '/news/x?lastEventId=7')
    await until(() => messages.length === 4)
    t.same(messages.map(([name]) => name), ['open', 'error', 'error', 'close'])
    const [open, value, source, close] = messages.map(([, message]) => message)
    const about = { route: '/news/:topic', requestId: 'req-1' }
    t.equal(open.request, opened)
    t.same({ ...open, request: undefined }, { ...about, request: undefined, lastEventId: '7' })
    t.same(Object.keys(value).sort(), ['error', 'requestId', 'route'])
    t.match(value, { ...about, error: { code: 'FST_CHIRP_VALUE' } })
    t.equal(source.error, error)
    t.match(source, about)
    t.ok(Number.isInteger(close.duration) && close.duration >= 0)
    t.same({ ...close, duration: 0 }, { ...about, reason: 'error', duration: 0, events: 1, bytes: Buffer.byteLength(body, 'latin1') })
  })

  t.test('one log line and one message for each stream that closes, with the reason', async t => {
    const messages = subscribe(t)
    const app = await buildApp(t, { closeEvent: 'bye' })
    const control = controlled()
    const reasons = {
      end: async port => {
        control.end()
        return get(port, '/')
      },
      disconnect: async port => {
        const client = await dial(port)
        client.send(GET())
        await client.heard(': open')
        client.socket.destroy()
      },
      shutdown: async port => {
        const client = await dial(port)
        client.send(GET())
        await client.heard(': open')
        app.close()
      }
    }
    app.get('/', { referenced: true }, (request, reply) => reply.eventStream(control.source))
    const port = await listen(app)
    for (const [n, [reason, act]] of Object.entries(reasons).entries()) {
      await act(port)
      await until(() => closeLines(app).length === n + 1 && messages.length === 2 * (n + 1))
      const line = closeLines(app)[n]
      t.match(line, { level: 30, reason, events: 0, reqId: `req-${n + 1}` })
      t.ok(Number.isInteger(line.duration) && line.duration >= 0 && line.duration < 5000)
      const [name, message] = messages[2 * n + 1]
      t.equal(name, 'close')
      t.same(message, { route: '/', requestId: `req-${n + 1}`, reason, duration: line.duration, events: 0, bytes: line.bytes })
    }
    t.equal(closeLines(app)[0].bytes, ': open\nevent: bye\ndata: \n\n'.length)
    t.equal(closeLines(app)[1].bytes, ': open\n'.length)
  })

  t.test('the counters are those of the messages, whatever happens', async t => {
    const messages = subscribe(t)
    const app = await buildApp(t)
    app.get('/:n', (request, reply) => reply.eventStream(async function * () {
      for (let i = 0; i < request.params.n; i++) yield i % 3 === 2 ? undefined : 'a'.repeat(i)
      if (request.params.n % 2 === 1) throw new Error('odd')
    }))
    const port = await listen(app)
    await Promise.all(Array.from({ length: 20 }, (_, n) => get(port, `/${n}`)))
    await until(() => app.eventStreams.open === 0)
    const of = name => messages.filter(([is]) => is === name).map(([, message]) => message)
    const sum = (list, field) => list.reduce((sum, message) => sum + message[field], 0)
    t.same({ ...app.eventStreams }, {
      open: 0, total: of('open').length, events: sum(of('close'), 'events'), bytes: sum(of('close'), 'bytes'), dropped: 0, errors: of('error').length, renders: 0, partsPending: 0, partsFailed: 0
    })
    t.equal(of('close').length, 20)
    t.equal(troubles(app).length, of('error').length)
  })

  t.test('nobody listens: nothing is published, and a listener that comes later sees the close', async t => {
    const app = await buildApp(t)
    const control = controlled()
    app.get('/', (request, reply) => reply.eventStream(control.source))
    const client = await dial(await listen(app))
    client.send(GET())
    await client.heard(': open')
    const messages = subscribe(t)
    client.socket.destroy()
    await until(() => messages.length === 1)
    t.match(messages, [['close', { requestId: 'req-1', reason: 'disconnect' }]])
  })
})

t.test('the process never complained', async t => {
  await turn()
  t.same(complaints, [])
})

t.test('what a message knows of a stream that is over', async t => {
  const app = await buildApp(t)
  let stream
  const listen = message => { stream = message.stream }
  diagnostics.subscribe('fastify-chirp:stream:open', listen)
  t.teardown(() => diagnostics.unsubscribe('fastify-chirp:stream:open', listen))
  app.get('/', (request, reply) => reply.eventStream(['a']))
  await app.inject('/')
  t.equal(app.eventStreams.open, 0)
  t.same([stream.events, stream.bytes, stream.waiting], [1, 0, 0])
})

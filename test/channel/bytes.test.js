// The bytes of a broadcast, in each version of HTTP.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { setImmediate as turn } from 'node:timers/promises'
import zlib from 'node:zlib'
import t from 'tap'
import { merge } from 'fastify-chirp'
import { EventStreamParser } from '../../dist/testing/parser.js'
import { buildApp, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { buildChannel, dataOf, dial, get, isChunk, take, watchWrites } from '../helpers/channel.js'

t.test('the bytes of a broadcast', async t => {
  const frames = (epoch, from, values) => values.map((value, n) => `id: ${epoch}-${from + n}\ndata: ${value}\n\n`).join('')
  const epochOf = async channel => (await channel.publish('probe')).split('-')[0]

  t.test('HTTP/1.1: a chunk goes to the socket as it is, and the body is valid', async t => {
    const { app, channel } = await buildChannel(t, { plugin: { closeEvent: 'bye' } })
    const writes = watchWrites(app)
    const epoch = await epochOf(channel)
    const request = http.get({ port: await listen(app), agent: false })
    const [response] = await once(request, 'response')
    let text = ''
    response.setEncoding('utf8').on('data', data => { text += data })
    await until(() => text !== '')
    await channel.publish('größe 豆 😀')
    await turn()
    await channel.publish('x'.repeat(100000))
    await turn()
    channel.close()
    await once(response, 'end')
    t.equal(text, `: open\nid: ${epoch}-1\n\n${frames(epoch, 2, ['größe 豆 😀', 'x'.repeat(100000)])}event: bye\ndata: \n\n`)
    t.equal(app.eventStreams.bytes, Buffer.byteLength(text))
    t.equal(writes.filter(isChunk).length, 2)
  })

  t.test('HTTP/2', async t => {
    const { app, channel } = await buildChannel(t, { fastify: { http2: true } })
    const epoch = await epochOf(channel)
    const session = http2.connect(`http://127.0.0.1:${await listen(app)}`)
    const stream = session.request({ ':path': '/' })
    let text = ''
    stream.setEncoding('utf8').on('data', data => { text += data })
    await until(() => channel.size === 1)
    await channel.publish('one')
    await turn()
    await channel.publish('two')
    await channel.publish('x'.repeat(100000))
    channel.close()
    await once(stream, 'end')
    t.equal(text, `: open\nid: ${epoch}-1\n\n${frames(epoch, 2, ['one', 'two', 'x'.repeat(100000)])}`)
    session.destroy()
  })

  t.test('HTTP/1.0 has no chunks', async t => {
    const { app, channel } = await buildChannel(t)
    const epoch = await epochOf(channel)
    const raw = await dial(t, app, 'GET / HTTP/1.0\r\n\r\n')
    await until(() => channel.size === 1)
    await channel.publish('one')
    await turn()
    await channel.publish('two')
    channel.close()
    await until(() => raw.ended)
    t.equal(raw.text.split('\r\n\r\n')[1], `: open\nid: ${epoch}-1\n\n${frames(epoch, 2, ['one', 'two'])}`)
  })

  t.test('HEAD has no body and follows nothing', async t => {
    const { app, channel } = await buildChannel(t)
    const raw = await dial(t, app, 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await until(() => raw.ended)
    t.match(raw.text, /^HTTP\/1\.1 200 OK\r\n[^]*content-type: text\/event-stream/i)
    t.match(raw.text, /\r\n\r\n$/)
    t.equal(channel.size, 0)
  })

  t.test('a write() that somebody has replaced is called', async t => {
    const { app, channel } = await buildChannel(t)
    const seen = []
    app.addHook('onRequest', async (request, { raw }) => {
      const { write } = raw
      raw.write = function (text, ...rest) {
        seen.push(text)
        return write.call(this, text.replace('one', 'changed'), ...rest)
      }
    })
    const writes = watchWrites(app)
    const stream = await new TestClient(app, { listen: true }).open('/')
    await until(() => channel.size === 1)
    await turn()
    const id = await channel.publish('one')
    t.same(await take(stream, 1), [{ data: 'changed', id }])
    t.equal(seen.at(-1), `id: ${id}\ndata: one\n\n`)
    t.notOk(writes.some(isChunk))
    stream.close()
  })

  t.test('a length that the app has set means no chunks', async t => {
    const { app, channel } = await buildChannel(t)
    app.addHook('onSend', async (request, reply, payload) => {
      reply.header('content-length', '1000')
      return payload
    })
    const raw = await dial(t, app, get())
    await until(() => channel.size === 1)
    const id = await channel.publish('one')
    await until(() => raw.text.includes('one'))
    t.ok(raw.text.endsWith(`\n\nid: ${id}\ndata: one\n\n`))
  })

  t.test('a compressor gets each event in time', async t => {
    const { app, channel } = await buildChannel(t)
    app.addHook('onSend', async (request, reply, payload) => {
      reply.header('content-encoding', 'gzip')
      return payload.pipe(zlib.createGzip())
    })
    const request = http.get({ port: await listen(app), agent: false })
    const [response] = await once(request, 'response')
    let text = ''
    response.pipe(zlib.createGunzip()).setEncoding('utf8').on('data', data => { text += data }).on('error', () => {})
    await until(() => channel.size === 1)
    for (const value of ['one', 'two']) {
      const id = await channel.publish(value)
      await until(() => text.endsWith(`id: ${id}\ndata: ${value}\n\n`))
    }
    t.equal(text.match(/data/g).length, 2)
    request.destroy()
  })

  t.test('a response that is queued behind another waits for its turn', async t => {
    const app = await buildApp(t)
    const [a, b] = [app.channel('a'), app.channel('b')]
    app.get('/a', (request, reply) => reply.eventStream(a))
    app.get('/b', (request, reply) => reply.eventStream(b))
    const writes = watchWrites(app)
    const raw = await dial(t, app, get('/a') + get('/b'))
    await until(() => a.size === 1 && b.size === 1)
    for (const value of ['one', 'two', 'three']) {
      await b.publish(`b ${value}`)
      await a.publish(`a ${value}`)
      await turn()
    }
    await until(() => raw.text.includes('a three'))
    t.notMatch(raw.text, /b one/)
    a.close()
    await until(() => raw.text.includes('b three'))
    await b.publish('b four')
    await turn()
    b.close()
    await until(() => /0\r\n\r\n[^]*0\r\n\r\n$/.test(raw.text))
    const [, first, second] = raw.text.split('HTTP/1.1 200 OK')
    t.same(first.match(/data: .*/g), ['data: a one', 'data: a two', 'data: a three'])
    t.same(second.match(/data: .*/g), ['data: b one', 'data: b two', 'data: b three', 'data: b four'])
    t.equal(writes.filter(isChunk).length, 4, 'only what waited went another way')
    raw.socket.destroy()
  })

  t.test('a socket is used again after a stream, with nothing left on it', async t => {
    const { app } = await buildChannel(t, { plugin: { maxBuffer: 50e6 } })
    const sockets = []
    app.server.on('connection', socket => { sockets.push({ socket, drain: socket.listenerCount('drain') }) })
    let channel
    app.get('/n', (request, reply) => reply.eventStream(channel = app.channel(request.query.n)))
    const raw = await dial(t, app, '')
    for (let n = 1; n <= 12; n++) {
      raw.text = ''
      raw.socket.write(get(`/n?n=${n}`))
      await until(() => app.eventStreams.open === 1 && channel.name === String(n) && channel.size === 1)
      raw.socket.pause()
      // Twice, so that it is blocked more than once in its life.
      for (let m = 0; m < 2; m++) {
        channel.publish('x'.repeat(8e6))
        await turn()
        raw.socket.resume()
        await until(() => raw.text.length > (m + 1) * 8e6)
      }
      await channel.publish('end')
      channel.close()
      await until(() => raw.text.endsWith('data: end\n\n\r\n0\r\n\r\n'))
      await until(() => app.eventStreams.open === 0)
      t.equal(sockets[0].socket.listenerCount('drain'), sockets[0].drain)
    }
    t.equal(sockets.length, 1)
    t.equal(app.eventStreams.dropped, 0)
  })

  t.test('heartbeats, replay, live events and those of one reader keep their order', async t => {
    const app = await buildApp(t, { heartbeat: 1000 })
    const channel = app.channel('a')
    app.get('/', (request, reply) => reply.eventStream(channel.subscribe({ filter: audience => audience === 'ann' })))
    const first = await channel.publish('first')
    const publish = n => channel.publish(n, n % 3 === 0 ? { audience: 'ann' } : n % 7 === 0 ? { audience: 'bob' } : {})
    for (let n = 1; n <= 150; n++) publish(n)
    const streams = await Promise.all(Array.from({ length: 5 }, () => new TestClient(app, { listen: true }).open('/', { lastEventId: first })))
    for (let n = 151; n <= 400; n++) {
      publish(n)
      if (n % 10 === 0) await turn()
    }
    await until(() => {
      return streams.every(({ heartbeats }) => heartbeats === 1)
    })
    for (let n = 401; n <= 600; n++) publish(n)
    const wanted = []
    for (let n = 1; n <= 600; n++) if (n % 3 === 0 || n % 7 !== 0) wanted.push(String(n))
    for (const stream of streams) t.same(dataOf(await take(stream, wanted.length)), wanted)
    streams.forEach(stream => stream.close())
  })

  t.test('a merged stream mixes what is pulled and what is pushed without breaking a frame', async t => {
    const app = await buildApp(t)
    const channel = app.channel('a')
    let gate
    app.get('/', (request, reply) => reply.eventStream(merge(channel, (async function * () {
      for (let n = 0; n < 500; n++) {
        yield { pulled: n }
        if (n % 5 === 0) await turn()
      }
      await new Promise(resolve => { gate = resolve })
    })())))
    const raw = await dial(t, app, get('/', 'Connection: close\r\n'))
    await until(() => channel.size === 1)
    for (let n = 0; n < 500; n++) {
      channel.publish({ pushed: n })
      if (n % 7 === 0) await turn()
    }
    await until(() => gate !== undefined)
    gate()
    channel.close()
    await until(() => raw.ended)
    const body = raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4)
    const events = []
    const reader = new EventStreamParser({ onEvent: event => events.push(JSON.parse(event.data)), onComment () {} })
    // Chunk by chunk, as the lengths say.
    let at = 0
    for (;;) {
      const end = body.indexOf('\r\n', at)
      const size = parseInt(body.slice(at, end), 16)
      if (size === 0) break
      reader.feed(Buffer.from(body.slice(end + 2, end + 2 + size)))
      t.equal(body.slice(end + 2 + size, end + 4 + size), '\r\n')
      at = end + 4 + size
    }
    const numbers = Array.from({ length: 500 }, (_, n) => n)
    t.same(events.map(({ pulled }) => pulled).filter(n => n !== undefined), numbers)
    t.same(events.map(({ pushed }) => pushed).filter(n => n !== undefined), numbers)
  })
})

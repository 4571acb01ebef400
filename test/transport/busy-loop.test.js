// A server that was busy does not hold its own time against its clients.
import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { Worker } from 'node:worker_threads'
import { buildApp, listen, never, quiet, until } from '../helpers/app.js'

/** Holds the event loop. */
function block (milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

/** A client in a thread of its own, which reads while this one is busy; `pause` is how long it waits first. */
async function reader (t, port, pause = 0) {
  const worker = new Worker(`
    const net = require('node:net')
    const { parentPort, workerData: { port, pause } } = require('node:worker_threads')
    const socket = net.connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'))
    let bytes = 0
    socket.pause()
    setTimeout(() => socket.resume(), pause)
    socket.on('error', () => {})
    socket.on('data', chunk => { bytes += chunk.length })
    socket.on('close', () => { parentPort.postMessage(bytes); parentPort.close() })
    parentPort.on('message', () => socket.destroy())
  `, { eval: true, workerData: { port, pause } })
  t.teardown(() => worker.terminate())
  await once(worker, 'online')
  return worker
}

t.test('a client that reads is not dropped because the event loop was blocked for longer than writeTimeout', async t => {
  const app = await buildApp(t, { writeTimeout: 1000, maxBuffer: 100e6 })
  let blocked = 0
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    for (let i = 0; i < 3; i++) {
      yield 'x'.repeat(8e6)
      // It is written and waits for the client; a bit later nobody is there to hear that it was taken.
      setTimeout(() => { block(1500); blocked++ }, 20)
      await until(() => blocked > i)
    }
    await never
  }))
  const worker = await reader(t, await listen(app), 300)
  await until(() => blocked === 3, 'blocked three times')
  await quiet(300)
  t.equal(app.eventStreams.dropped, 0)
  t.equal(app.eventStreams.open, 1)
  worker.postMessage('leave')
  await until(() => app.eventStreams.open === 0)
})

t.test('nor is the end of its stream cut for that', async t => {
  const app = await buildApp(t, { writeTimeout: 500, maxBuffer: 100e6 })
  app.get('/', (request, reply) => {
    setTimeout(() => block(1500), 20)
    return reply.eventStream(['x'.repeat(8e6)])
  })
  const bytesRead = once(await reader(t, await listen(app), 300), 'message')
  await until(() => app.eventStreams.events === 1)
  await until(() => app.eventStreams.open === 0)
  const line = app.log.lines.find(line => line.msg === 'event stream closed')
  t.match(line, { reason: 'end', events: 1 })
  const [bytes] = await bytesRead
  t.ok(bytes > 8e6, `${bytes} bytes came`)
})

t.test('a client that does not read is dropped all the same', async t => {
  const app = await buildApp(t, { writeTimeout: 500, maxBuffer: 100e6 })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'x'.repeat(20e6)
    await never
  }))
  const socket = net.connect(await listen(app), '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => app.eventStreams.events === 1)
  block(1000)
  await quiet(100)
  t.equal(app.eventStreams.dropped, 0, 'not at once')
  await until(() => app.eventStreams.dropped === 1)
  socket.destroy()
})

t.test('a stream that was silent with nothing to wait for has its whole writeTimeout', async t => {
  // Without heartbeats the clock stands still, and what it showed last is old.
  const app = await buildApp(t, { writeTimeout: 2000, heartbeat: false, maxBuffer: 100e6 })
  let go
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'a'
    await new Promise(resolve => { go = resolve })
    yield 'x'.repeat(20e6)
    await never
  }))
  const socket = net.connect(await listen(app), '127.0.0.1')
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => go !== undefined)
  // Longer than the first second, after which it would be looked at, and then writeTimeout.
  await quiet(5000)
  socket.pause()
  go()
  await until(() => app.eventStreams.events === 2)
  await quiet(1000)
  t.equal(app.eventStreams.dropped, 0)
  let bytes = 0
  socket.on('data', data => { bytes += data.length })
  socket.resume()
  await until(() => bytes > 20e6)
  await quiet(1000)
  t.equal(app.eventStreams.dropped, 0)
  socket.destroy()
})

t.test('app.close(): clients that read get all of it, although the loop was blocked for the whole of shutdownGrace', async t => {
  const app = await buildApp(t, { shutdownGrace: 300, maxBuffer: 100e6, writeTimeout: false })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'x'.repeat(8e6)
    await never
  }))
  const bytesRead = once(await reader(t, await listen(app), 200), 'message')
  await until(() => app.eventStreams.events === 1)
  const closing = app.close()
  // From the end of a turn, so that the next one begins with what is due.
  setTimeout(() => setImmediate(block, 2000), 20)
  const [bytes] = await bytesRead
  await closing
  t.ok(bytes > 8e6, `${bytes} bytes came`)
})

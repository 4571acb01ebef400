// Sources whose end fails: at once, later, or in a way that nobody expects.
import { Readable } from 'node:stream'
import t from 'tap'
import { buildApp, never, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

/** A Readable that gives 'a' and waits. */
function readable (members) {
  const readable = new Readable({ objectMode: true, read () {} })
  readable.push('a')
  return Object.assign(readable, members)
}

function fail () {
  throw new Error('cleanup')
}

const failing = {
  'a Readable whose destroy() throws': () => readable({ destroy: fail }),
  'a Readable whose _destroy() throws': () => readable({ _destroy: fail }),
  'a Readable whose _destroy() gives an error': () => readable({ _destroy: (error, done) => done(error ?? new Error('cleanup')) }),
  'a Readable that emits an error after its end': () => {
    const source = readable({ _destroy: (error, done) => { setTimeout(() => { source.emit('error', new Error('cleanup')) }, 5); done(error) } })
    return source
  },
  'a Readable of an iterator whose return() throws': () => {
    let n = 0
    return Readable.from({ [Symbol.asyncIterator]: () => ({ next: () => n++ === 0 ? { value: 'a' } : never, return: fail }) })
  },
  'an iterator whose return() throws': () => {
    let n = 0
    return { [Symbol.asyncIterator]: () => ({ next: () => n++ === 0 ? { value: 'a' } : never, return: fail }) }
  },
  'an iterator whose return is a getter that throws': () => {
    let n = 0
    return { [Symbol.asyncIterator]: () => ({ next: () => n++ === 0 ? { value: 'a' } : never, get return () { return fail() } }) }
  },
  'a web stream whose cancel() throws': () => new ReadableStream({ start (controller) { controller.enqueue('a') }, cancel: fail }),
  'a web stream of another make whose cancel() throws at once': () => {
    let n = 0
    const reader = { read: () => n++ === 0 ? Promise.resolve({ value: 'a' }) : never, cancel: fail }
    return { locked: false, getReader: () => reader, cancel: fail }
  }
}

for (const [name, source] of Object.entries(failing)) {
  t.test(`${name}: logged, and its place is free`, async t => {
    const faults = []
    const note = error => faults.push(error)
    process.prependListener('uncaughtException', note)
    process.prependListener('unhandledRejection', note)
    t.teardown(() => {
      process.removeListener('uncaughtException', note)
      process.removeListener('unhandledRejection', note)
    })
    const app = await buildApp(t)
    app.get('/', (request, reply) => reply.eventStream(source()))
    const client = new TestClient(app, { listen: true })
    // A client that leaves, one that is gone before, and HEAD.
    const stream = await client.open('/')
    t.same(await stream.next(), { data: 'a' })
    stream.close()
    await until(() => app.eventStreams.open === 0 && app.eventStreams.errors === 1)
    const logged = app.log.lines.filter(line => line.level > 30)
    t.same(logged.map(({ msg, err }) => [msg, err.message]), [['the source failed after its stream was closed', 'cleanup']])
    const head = await client.sse('/', { method: 'HEAD' })
    t.equal(head.status, 200)

    // And one that the app's end closes.
    const last = await client.open('/')
    t.same(await last.next(), { data: 'a' })
    await app.close()
    t.match(await last.next(), { event: 'chirp:closing' })
    await quiet(10)
    t.same(faults, [])
    t.equal(app.eventStreams.open, 0)
  })
}

t.test('a Readable that only ends early when it is closed is no failure', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(readable({
    _destroy: (error, done) => done(error ?? Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }))
  })))
  const stream = await new TestClient(app, { listen: true }).open('/')
  await stream.next()
  stream.close()
  await until(() => app.eventStreams.open === 0)
  await quiet(5)
  t.equal(app.eventStreams.errors, 0)
  t.same(app.log.lines.filter(line => line.level > 30), [])
})

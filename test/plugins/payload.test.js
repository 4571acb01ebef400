// What other plugins do to a response: its payload, its hooks, its methods.
import { once } from 'node:events'
import http from 'node:http'
import { PassThrough, Transform } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import zlib from 'node:zlib'
import t from 'tap'
import '../helpers/complaints.js'
import compress from '@fastify/compress'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { buildApp, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { closeLines, controlled, dial, get, GET, troubles } from '../helpers/raw.js'

t.test('what other plugins do', async t => {
  const decoders = { gzip: zlib.createGunzip, br: zlib.createBrotliDecompress, deflate: zlib.createInflate }
  const encoders = { gzip: zlib.createGzip, br: zlib.createBrotliCompress, deflate: zlib.createDeflate }

  /** Asks for a stream and sees that each event comes before the next one is there. */
  async function oneByOne (t, app, control, { path = '/', encoding, change = text => text } = {}) {
    const port = await listen(app)
    const request = http.get({ port, path, agent: false, headers: { 'accept-encoding': 'gzip, br, deflate' } })
    const [response] = await once(request, 'response')
    t.equal(response.headers['content-encoding'], encoding)
    let text = ''
    let ended = false
    const body = encoding === undefined ? response : response.pipe(decoders[encoding]())
    body.on('data', chunk => { text += chunk }).on('end', () => { ended = true })
    await until(() => text === ': open\n', 'the first frame comes')
    for (const value of ['one', 'two', 'three']) {
      control.give(value)
      await until(() => text.endsWith(change(`data: ${value}\n\n`)), `${value} comes alone: ${JSON.stringify(text)}`)
    }
    control.end()
    await until(() => ended, 'the stream ends')
    t.equal(text, `: open\n${change('data: one\n\ndata: two\n\ndata: three\n\n')}`)
    await until(() => app.eventStreams.open === 0)
    t.equal(control.closed, control.opened)
  }

  for (const referenced of [true, false]) {
    const kind = referenced ? 'marked' : 'unmarked'

    for (const first of ['compress', 'chirp']) {
      t.test(`@fastify/compress before or after, as it is: ${kind}, ${first} first`, async t => {
        const app = Fastify({ forceCloseConnections: true })
        t.teardown(() => app.close())
        const plugins = { compress: () => app.register(compress, { global: true, threshold: 0 }), chirp: () => app.register(chirp, { retry: false }) }
        await plugins[first]()
        await plugins[first === 'chirp' ? 'compress' : 'chirp']()
        const control = controlled()
        app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
        app.get('/text', async () => 'compressible '.repeat(500))
        await oneByOne(t, app, control, {})
        const { headers } = await get(await listen(app), '/text', { headers: { 'accept-encoding': 'gzip' } })
        t.equal(headers['content-encoding'], 'gzip', 'other routes are compressed')
      })
    }

    for (const encoding of Object.keys(encoders)) {
      t.test(`a hook that compresses: ${kind}, ${encoding}`, async t => {
        const app = await buildApp(t)
        const control = controlled()
        app.addHook('onSend', async (request, reply, payload) => {
          reply.header('content-encoding', encoding)
          return payload.pipe(encoders[encoding]())
        })
        app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
        await oneByOne(t, app, control, { encoding })
        t.same(troubles(app), [])
      })
    }

    const shout = () => new Transform({ transform (chunk, encoding, callback) { callback(null, String(chunk).replace(/one|two|three/g, word => word.toUpperCase())) } })
    const transforms = {
      pipe: (request, reply, payload, done) => done(null, payload.pipe(shout())),
      'pipe, async': async (request, reply, payload) => {
        await turn()
        return payload.pipe(shout())
      },
      'two pipes': (request, reply, payload, done) => done(null, payload.pipe(new PassThrough()).pipe(shout()))
    }
    for (const [name, hook] of Object.entries(transforms)) {
      t.test(`a hook that transforms: ${kind}, ${name}`, async t => {
        const app = await buildApp(t)
        const control = controlled()
        app.addHook('onSend', hook)
        app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
        await oneByOne(t, app, control, { change: text => text.replace(/one|two|three/g, word => word.toUpperCase()) })

        const left = await new TestClient(app, { listen: true }).open('/')
        control.give('one')
        t.same(await left.next(), { data: 'ONE' })
        left.close()
        await until(() => app.eventStreams.open === 0 && control.closed === control.opened, 'the source is closed when the client leaves')

        const kept = await new TestClient(app, { listen: true }).open('/')
        control.give('one')
        await kept.next()
        await app.close()
        t.match(await kept.next(), { event: 'chirp:closing' })
        await until(() => kept.ended)
        t.same(closeLines(app).map(({ reason }) => reason), ['end', 'disconnect', 'shutdown'])
        t.same(troubles(app), [])
      })
    }

    t.test(`a transform that does not drain holds the source back: ${kind}`, async t => {
      const app = await buildApp(t, { writeTimeout: 300 })
      let pulled = 0
      app.addHook('onSend', async (request, reply, payload) => payload.pipe(new Transform({ transform () {} })))
      app.get('/', { referenced }, (request, reply) => reply.eventStream(function * () {
        for (;;) {
          pulled++
          yield 'x'.repeat(1000)
        }
      }))
      const client = await dial(await listen(app))
      client.send(GET())
      await until(() => client.closed, 'it is dropped')
      t.ok(pulled < 100, `${pulled} pulled`)
      t.match(closeLines(app), [{ reason: 'writeTimeout' }])
      t.equal(app.eventStreams.dropped, 1)
    })

    t.test(`a transform that breaks ends the stream: ${kind}`, async t => {
      const app = await buildApp(t)
      const control = controlled()
      app.addHook('onSend', async (request, reply, payload) => payload.pipe(new Transform({
        transform: (chunk, encoding, callback) => String(chunk).includes('bad') ? callback(new Error('broken')) : callback(null, chunk)
      })))
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      const stream = await new TestClient(app, { listen: true }).open('/')
      control.give('good')
      t.same(await stream.next(), { data: 'good' })
      control.give('bad')
      await until(() => app.eventStreams.open === 0 && control.closed === 1)
      t.equal(await stream.next(), undefined)
    })

    t.test(`onSend hooks that another plugin's onRoute hook gives to a route, before and after ours: ${kind}`, async t => {
      const app = Fastify({ forceCloseConnections: true })
      t.teardown(() => app.close())
      const ran = []
      const hook = name => (request, reply, payload, done) => {
        ran.push(name)
        done(null, payload)
      }
      const asyncHook = name => async () => { ran.push(name) }
      app.addHook('onRoute', route => { route.onSend = [hook('before')] })
      await app.register(chirp, { retry: false })
      app.addHook('onRoute', route => { route.onSend = [...route.onSend, hook('array')] })
      app.addHook('onRoute', route => { route.onSend = route.onSend.concat(asyncHook('async')) })
      app.addHook('onSend', hook('app'))
      const control = controlled()
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      app.addHook('onSend', asyncHook('late'))
      await oneByOne(t, app, control)
      t.same(ran, ['app', 'late', 'before', 'array', 'async'])
    })

    t.test(`a route whose onSend is replaced by one function: ${kind}`, async t => {
      const app = await buildApp(t)
      app.addHook('onRoute', route => { route.onSend = async (request, reply) => { reply.header('x-own', 'yes') } })
      app.get('/', { referenced }, (request, reply) => reply.eventStream(['a']))
      t.equal((await get(await listen(app), '/')).headers['x-own'], 'yes')
    })

    t.test(`a response whose write, writeHead and end are wrapped: ${kind}`, async t => {
      const app = await buildApp(t)
      const calls = { write: 0, writeHead: 0, end: 0 }
      app.addHook('onRequest', async (request, { raw }) => {
        for (const name of Object.keys(calls)) {
          const original = raw[name]
          raw[name] = function (...values) {
            calls[name]++
            return original.apply(this, values)
          }
        }
      })
      const control = controlled()
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      await oneByOne(t, app, control)
      t.ok(calls.write >= 4 && calls.end === 1, JSON.stringify(calls))
    })

    t.test(`onResponse runs once, also when the client leaves: ${kind}`, async t => {
      const app = await buildApp(t)
      const seen = []
      app.addHook('onResponse', async request => { seen.push(request.id) })
      const control = controlled()
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      await oneByOne(t, app, control)
      await until(() => seen.length === 1)
      t.same(seen, ['req-1'])
    })
  }
})

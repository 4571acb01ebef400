// Injected answers, read while they are written: app.inject() and AWS Lambda.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import awsLambda from '@fastify/aws-lambda'
import t from 'tap'
import { buildApp, until } from '../helpers/app.js'

const routes = [true, false]

async function build (t) {
  const app = await buildApp(t)
  for (const referenced of routes) {
    app.get(`/${referenced}`, { referenced }, (request, reply) => reply.eventStream(async function * ({ signal }) {
      yield 'a'
      await new Promise(resolve => { signal.onabort = resolve })
    }))
    app.get(`/${referenced}/ends`, { referenced }, (request, reply) => reply.eventStream(['a', 'b']))
  }
  return app
}

const eventOf = path => ({
  version: '2.0', rawPath: path, headers: { accept: 'text/event-stream' }, requestContext: { http: { method: 'GET', path } }
})

for (const referenced of routes) {
  t.test(`the first frame is there with the head: ${referenced ? 'marked' : 'unmarked'}`, async t => {
    const app = await build(t)
    const { stream, statusCode } = await new Promise((resolve, reject) => {
      app.inject({ url: `/${referenced}`, payloadAsStream: true }, (error, response) => {
        if (error) return reject(error)
        const stream = response.stream()
        t.equal(stream.readableLength, ': open\n'.length)
        resolve({ stream, statusCode: response.statusCode })
      })
    })
    t.equal(statusCode, 200)
    let text = ''
    stream.setEncoding('utf8').on('data', data => { text += data })
    await until(() => text === ': open\ndata: a\n\n')
    await app.close()
    await until(() => /event: chirp:closing/.test(text))
  })

  t.test(`@fastify/aws-lambda with payloadAsStream: ${referenced ? 'marked' : 'unmarked'}`, async t => {
    const app = await build(t)
    const proxy = awsLambda(app, { payloadAsStream: true })
    await app.ready()

    // As awslambda.streamifyResponse() has it: the handler pipes into a stream of the runtime.
    const handler = async (event, responseStream) => {
      const { meta, stream } = await proxy(event, {})
      responseStream.meta = meta
      stream.pipe(responseStream)
    }
    const finite = new PassThrough({ encoding: 'utf8' })
    await handler(eventOf(`/${referenced}/ends`), finite)
    t.match(finite.meta, { statusCode: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
    t.equal((await finite.toArray()).join(''), ': open\ndata: a\n\ndata: b\n\n')

    const open = new PassThrough({ encoding: 'utf8' })
    let text = ''
    open.on('data', data => { text += data })
    await handler(eventOf(`/${referenced}`), open)
    await until(() => text === ': open\ndata: a\n\n')
    t.equal(app.eventStreams.open, 1)
    const ended = once(open, 'end')
    await app.close()
    await ended
    t.match(text, /event: chirp:closing/)
  })
}

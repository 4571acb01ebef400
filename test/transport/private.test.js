// Each touch of what is private to Node.js or to Fastify, the checker's too: that it is used when it is there, and what happens when it is gone.
import { ServerResponse } from 'node:http'
import Fastify from 'fastify'
import t from 'tap'
import { muteLate } from '../../dist/channel/late.js'
import { hasRewriteUrl } from '../../dist/contracts/private.js'
import { addFirstOnRoute, flattenHead, headersOf, isNative, isPlain, trailersOf, withoutNotice } from '../../dist/transport/private.js'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

/** Publishes one event over a socket; tells what the client got, and whether it went through the response's write(). */
async function publish (t, prepare = () => {}) {
  const app = await buildApp(t)
  const channel = app.channel('a')

  let raw
  app.get('/', { referenced: true, onRequest: async (request, reply) => { raw = reply.raw; prepare(raw) } }, () => channel)
  const stream = await new TestClient(app, { listen: true }).open('/')
  const isPlainNow = isPlain(raw)
  await channel.publish('news')
  const { data } = await stream.next()
  stream.close()
  return { data, isPlainNow }
}

t.test('ServerResponse.prototype.write: one as Node.js has it is passed by', async t => {
  t.same(await publish(t), { data: 'news', isPlainNow: true })
})

t.test('ServerResponse.prototype.write: one that was replaced sees all', async t => {
  const replace = raw => { raw.write = (...values) => ServerResponse.prototype.write.apply(raw, values) }
  t.same(await publish(t, replace), { data: 'news', isPlainNow: false })
})

for (const name of ['chunkedEncoding', 'outputSize']) {
  t.test(`${name}: without it everything goes through write()`, async t => {
    // Node.js itself needs its value, so only the one who asks finds nothing.
    const hidden = raw => new Proxy(raw, { get: (_, key) => key === name ? undefined : Reflect.get(raw, key) })
    let raw
    await publish(t, response => { raw = response })
    t.equal(isPlain(hidden(raw)), false)
  })
}

t.test('_httpMessage: without it everything goes through write()', async t => {
  const dest = { write: ServerResponse.prototype.write, chunkedEncoding: true, outputSize: 0, headersSent: true }
  const socket = { writable: true, _httpMessage: dest }
  t.equal(isPlain(Object.assign(dest, { socket })), true)
  delete socket._httpMessage
  t.equal(isPlain(dest), false)
})

t.test('_header: it is read where it is there, and nothing happens where it is not', async t => {
  let reads = 0
  flattenHead({ get _header () { reads++; return 'HTTP/1.1 200 OK' } })
  t.equal(reads, 1)
  flattenHead({})
})

t.test('fastify.reply.headers: they are not copied, and where they are gone getHeaders() has them', async t => {
  const app = Fastify()
  app.get('/', async (_request, reply) => {
    reply.header('vary', 'accept')
    reply.getHeaders = () => 'a copy'
    t.match(headersOf(reply), { vary: 'accept' })
    return 'ok'
  })
  t.equal((await app.inject('/')).payload, 'ok')
  t.equal(headersOf({ getHeaders: () => 'a copy' }), 'a copy')
})

t.test('headers of the response itself reach the client too, and those of the reply go before them', async t => {
  const app = await buildApp(t)
  app.get('/', { referenced: true, onRequest: async (request, reply) => { reply.raw.setHeader('X-Own', 'raw'); reply.raw.setHeader('X-Both', 'raw'); reply.header('x-both', 'reply') } }, () => ['a'].values())
  const { headers } = await new TestClient(app, { listen: true }).open('/')
  t.match(headers, { 'x-own': 'raw', 'x-both': 'reply', 'content-type': /event-stream/ })
})

t.test('fastify.reply.trailers: none, some, and what cannot be asked', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  let replies = []
  app.get('/', async (request, reply) => {
    replies = [trailersOf(reply), Object.keys(trailersOf(reply.trailer('etag', async () => 'x'))), trailersOf({})]
    reply.removeTrailer('etag')
    return ''
  })
  await app.inject('/')
  t.same(replies, [null, ['etag'], undefined])
})

t.test('fastify.hooks: a hook comes before those of others, and is not called where the list is gone', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const calls = []
  app.addHook('onRoute', () => { calls.push('other') })
  addFirstOnRoute(app, () => { calls.push('first') })
  app.get('/', { exposeHeadRoute: false }, async () => '')
  t.same(calls, ['first', 'other'])
  addFirstOnRoute({}, () => {})
  addFirstOnRoute({ [Symbol('fastify.hooks')]: {} }, () => {})
})

t.test('process.domain: it is another while a rejection is made, and the same as before behind it', async t => {
  const before = process.domain
  let during
  t.equal(withoutNotice(error => { during = process.domain; return error }, 'e'), 'e')
  t.equal(during.emit(), true)
  t.equal(process.domain, before)
})

t.test('process.domain: where it cannot be set, the rejection is made all the same', async t => {
  const before = Object.getOwnPropertyDescriptor(process, 'domain')
  Object.defineProperty(process, 'domain', { configurable: true, get: () => undefined })
  t.teardown(() => {
    if (before === undefined) delete process.domain
    else Object.defineProperty(process, 'domain', before)
  })
  t.equal(withoutNotice(error => error, 'e'), 'e')
})

t.test('onSend of a route: the last hook writes the head, and where Fastify does not find it the stream takes the long way', async t => {
  for (const isGone of [false, true]) {
    const app = await buildApp(t)
    const ways = []
    const watch = async (request, { raw }) => {
      const { writeHead } = raw
      raw.writeHead = (status, ...headers) => {
        // Node.js writes the head by itself when Fastify leaves it to the first bytes.
        ways.push(headers.length === 0 ? 'long' : 'short')
        return writeHead.call(raw, status, ...headers)
      }
    }
    app.addHook('onRoute', route => {
      if (isGone) Object.defineProperty(route, 'onSend', { value: undefined, writable: true })
    })
    app.get('/', { referenced: true, onRequest: watch }, (request, reply) => reply.eventStream(['a']))
    t.same((await new TestClient(app, { listen: true }).sse('/')).events, [{ data: 'a' }])
    t.same(ways, [isGone ? 'long' : 'short'])
  }
})

t.test('fastify.options: rewriteUrl is seen where it is there, and taken for absent where it cannot be asked for', async t => {
  const rewriteUrl = ({ url }) => url
  t.equal(hasRewriteUrl(Fastify({ rewriteUrl })), true)
  t.equal(hasRewriteUrl(Fastify()), false)
  t.equal(hasRewriteUrl({}), false)
  t.equal(hasRewriteUrl({ [Symbol('fastify.options')]: undefined }), false)
})

t.test('[native code]: what rejects a promise is known by its text, and where the text is another it is called as any other', async t => {
  const { domain } = process
  const reject = async () => {
    let during
    // A bound function is native code too.
    const listener = function () { during = this.domain }.bind(process)
    await muteLate(Promise.reject(new Error('late')), () => true).then(undefined, listener)
    return during
  }
  t.equal(isNative(() => {}), false)
  t.not(await reject(), domain, 'nobody hears of it')
  const { toString } = Function.prototype
  t.teardown(() => { Function.prototype.toString = toString }) // eslint-disable-line no-extend-native
  Function.prototype.toString = () => 'function () {}' // eslint-disable-line no-extend-native
  t.equal(isNative(isNative.bind(null)), false)
  t.equal(await reject(), domain)
  Function.prototype.toString = toString // eslint-disable-line no-extend-native
})

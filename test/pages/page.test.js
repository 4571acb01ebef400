// HTML without a stream, when something is wrong with the reply or the render; and what templates see of a reply.
import net from 'node:net'
import t from 'tap'
import nunjucks from 'nunjucks'
import fastifyView from '@fastify/view'
import Fastify from 'fastify'
import chirp, { Fragment } from 'fastify-chirp'
import { buildApp, listen, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const VIEWS = {
  'page.html': '<h1>{% block a %}{{ x | later }}{% endblock %}</h1>{% block b %}{{ x }}{% endblock %}',
  'seen.html': '<p>{% block a %}{{ one }}-{{ two }}-{{ three }}{% endblock %}</p>'
}

/** An environment whose filter `later` answers when `env.answer(error, value)` is called, or in the next turn. */
function environment (views = VIEWS, options = {}) {
  const env = new nunjucks.Environment({ getSource: name => Object.hasOwn(views, name) ? { src: views[name], path: name, noCache: false } : null }, options)
  env.waiting = []
  env.addFilter('later', (value, callback) => {
    if (value === 'wait') env.waiting.push(callback)
    else setImmediate(callback, value === 'fail' ? new Error('too late') : null, value)
  }, true)
  return env
}

const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ msg, err }) => [msg, err?.code])

/** Collects what would end the process. */
function watch (t) {
  const unhandled = []
  const note = error => { unhandled.push(error) }
  process.prependListener('unhandledRejection', note)
  t.teardown(() => process.removeListener('unhandledRejection', note))
  return unhandled
}

const routes = {
  page: (request, reply) => reply.page('page.html', { x: request.query.x ?? 'x' }),
  block: (request, reply) => reply.page('page.html', { x: request.query.x ?? 'x' }, { block: 'a' }),
  fragment: (request, reply) => reply.fragment('page.html', 'a', { x: request.query.x ?? 'x' })
}

t.test('a header that HTTP refuses is an error of the app, once, also when the render takes its time', async t => {
  for (const [name, handler] of Object.entries(routes)) {
    for (const isAsync of [false, true]) {
      const app = await buildApp(t, { templates: environment() })
      const handled = []
      app.setErrorHandler((error, request, reply) => {
        handled.push(error.code)
        reply.removeHeader('x-bad').code(500).send('the app says no')
      })
      app.get('/', isAsync
        ? async (request, reply) => handler(request, reply.header('x-bad', 'a\nb'))
        : (request, reply) => handler(request, reply.header('x-bad', 'a\nb')))
      const response = await fetch(`http://127.0.0.1:${await listen(app)}/`, { headers: { 'hx-request': 'true' } })
      t.equal(response.status, 500, name)
      t.equal(await response.text(), 'the app says no')
      t.same(handled, ['ERR_INVALID_CHAR'])
    }
  }
})

t.test('and Fastify answers where the app has no error handler, or one that leaves the header', async t => {
  for (const handler of [undefined, (error, request, reply) => { reply.code(500).send(error) }, async (error, request, reply) => { throw error }]) {
    const app = await buildApp(t, { templates: environment() })
    if (handler !== undefined) app.setErrorHandler(handler)
    app.get('/', (request, reply) => reply.header('x-bad', 'a\nb').page('page.html', { x: 'x' }))
    const response = await fetch(`http://127.0.0.1:${await listen(app)}/`)
    t.equal(response.status, 500)
    t.match(await response.json(), { code: 'ERR_INVALID_CHAR' })
  }
})

t.test('an onSend hook that fails, and a render that fails, go through the error handler once', async t => {
  // Fastify runs the hooks for the answer of the error handler too.
  const passes = reply => reply.statusCode === 500
  const hooks = [
    async (request, reply) => { if (!passes(reply)) throw new Error('from the hook') },
    (request, reply, payload, done) => { done(passes(reply) ? null : new Error('from the hook')) }
  ]
  for (const onSend of [undefined, ...hooks]) {
    const app = await buildApp(t, { templates: environment() })
    const handled = []
    app.setErrorHandler((error, request, reply) => {
      handled.push(error.message)
      reply.code(500).send('no')
    })
    app.get('/', onSend ? { onSend } : {}, routes.page)
    const response = await fetch(`http://127.0.0.1:${await listen(app)}/?x=${onSend ? 'x' : 'fail'}`)
    t.equal(response.status, 500)
    t.equal(await response.text(), 'no')
    t.same(handled, [onSend ? 'from the hook' : 'Cannot render "page.html" (line 1, column 18): too late'])
  }
})

t.test('a client that left while its page rendered does no harm', async t => {
  const unhandled = watch(t)
  const env = environment()
  const app = await buildApp(t, { templates: env })
  let response
  app.get('/', (request, reply) => {
    response = reply.raw
    return routes.page(request, reply)
  })
  const port = await listen(app)
  for (const answer of [[null, 'late'], [new Error('late')]]) {
    const socket = net.connect(port, '127.0.0.1')
    socket.write('GET /?x=wait HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => env.waiting.length === 1)
    socket.destroy()
    await until(() => response.destroyed)
    env.waiting.pop()(...answer)
    await quiet(10)
  }
  t.same(unhandled, [])
  t.equal((await fetch(`http://127.0.0.1:${port}/?x=x`)).status, 200)
})

t.test('a reply that was sent in the meantime stays, and a render that failed is logged', async t => {
  const unhandled = watch(t)
  const env = environment()
  const app = await buildApp(t, { templates: env })
  app.get('/', (request, reply) => {
    routes.page(request, reply)
    reply.send('sent')
  })
  for (const [answer, logged] of [[[null, 'late'], []], [[new Error('late')], [['a page was not sent: its reply was already sent', 'FST_CHIRP_RENDER']]]]) {
    t.equal((await app.inject('/?x=wait')).body, 'sent')
    env.waiting.pop()(...answer)
    await until(() => errorsOf(app).length >= logged.length)
    await quiet(10)
    t.same(errorsOf(app), logged)
  }
  t.same(unhandled, [])
})

t.test('a page that comes while an onError hook runs is not sent, and the process goes on', async t => {
  const unhandled = watch(t)
  const env = environment()
  const app = await buildApp(t, { templates: env })
  let goOn
  app.addHook('onError', () => new Promise(resolve => { goOn = resolve }))
  app.get('/', (request, reply) => {
    routes.page(request, reply)
    throw new Error('the handler failed after all')
  })
  const answer = app.inject('/?x=wait')
  await until(() => goOn !== undefined)
  env.waiting.pop()(null, 'late')
  await until(() => errorsOf(app).length === 1)
  t.same(errorsOf(app), [['a page was not sent', 'FST_ERR_SEND_INSIDE_ONERR']])
  goOn()
  t.match((await answer).json(), { statusCode: 500, message: 'the handler failed after all' })
  t.same(unhandled, [])
})

t.test('in debug a browser gets the error page of a render that took its time', async t => {
  const app = await buildApp(t, { templates: environment(), debug: true })
  app.get('/', routes.fragment)
  const { statusCode, body } = await app.inject({ url: '/?x=fail', headers: { accept: 'text/html' } })
  t.equal(statusCode, 500)
  t.match(body, /<p>too late<\/p>\n<p><code>page\.html, line 1, column 18<\/code>/)
})

t.test('templates see reply.locals, and the context before them', async t => {
  for (const templates of [environment(), t.testdir(VIEWS)]) {
    const app = await buildApp(t, { templates })
    app.decorateReply('locals', null)
    app.addHook('onRequest', async (request, reply) => {
      if (request.query.none === undefined) reply.locals = { one: 'l1', two: 'l2' }
    })
    const context = Object.freeze({ two: 'c2', three: 'c3' })
    const fragment = new Fragment('seen.html', 'a', context)
    const news = app.channel('news')
    app.get('/page', (request, reply) => reply.page('seen.html', context))
    app.get('/block', (request, reply) => reply.page('seen.html', context, { block: 'a' }))
    app.get('/fragment', (request, reply) => reply.fragment('seen.html', 'a', context))
    app.get('/stream', (request, reply) => {
      const answer = reply.eventStream(async function * () {
        yield fragment
        yield await app.renderFragment(fragment)
      })
      reply.locals = { one: 'too late' }
      return answer
    })
    app.get('/news', (request, reply) => reply.eventStream(news))
    t.equal((await app.inject('/page')).body, '<p>l1-c2-c3</p>')
    t.equal((await app.inject('/page?none')).body, '<p>-c2-c3</p>')
    t.equal((await app.inject({ url: '/block', headers: { 'hx-request': 'true' } })).body, 'l1-c2-c3')
    t.equal((await app.inject('/fragment')).body, 'l1-c2-c3')
    t.same((await new TestClient(app).sse('/stream')).events, [{ data: 'l1-c2-c3' }, { data: '-c2-c3' }])
    const stream = await new TestClient(app).open('/news')
    await until(() => news.size === 1)
    await news.publish(fragment)
    t.equal((await stream.next()).data, '-c2-c3', 'what is published is the same for all')
    stream.close()
  }
})

t.test('and the defaultContext of a @fastify/view that shares the environment, as reply.view() does', async t => {
  for (const [propertyName, options] of [['view', {}], ['show', { tags: { variableStart: '<$', variableEnd: '$>' } }]]) {
    const views = Object.fromEntries(Object.entries(VIEWS).map(([name, text]) => options.tags ? [name, text.replaceAll('{{', '<$').replaceAll('}}', '$>')] : [name, text]))
    const env = environment(views, options)
    const app = await buildApp(t, { templates: env })
    const other = environment(views, options)
    await app.register(fastifyView, { engine: { nunjucks: { configure: () => other } }, propertyName: 'other', defaultContext: { one: 'other', three: 'other' } })
    await app.register(fastifyView, { engine: { nunjucks: { configure: () => env } }, propertyName, defaultContext: { one: 'd1', two: 'd2', three: 'd3' } })
    const fragment = new Fragment('seen.html', 'a', { three: 'c3' })
    t.equal(await app.renderFragment(fragment), '--c3', 'not before the app is ready')
    app.addHook('preHandler', async (request, reply) => { reply.locals.two = 'l2' })
    app.get('/view', (request, reply) => reply[propertyName]('seen.html', { three: 'c3' }))
    app.get('/page', (request, reply) => reply.page('seen.html', { three: 'c3' }))
    app.get('/stream', (request, reply) => reply.eventStream([fragment]))
    t.equal((await app.inject('/view')).body, '<p>d1-l2-c3</p>')
    t.equal((await app.inject('/page')).body, '<p>d1-l2-c3</p>')
    t.same((await new TestClient(app).sse('/stream')).events, [{ data: 'd1-l2-c3' }])
    t.equal(await app.renderFragment(fragment), 'd1-d2-c3', 'that of the app, for what has no reply')
  }
})

t.test('a @fastify/view without a defaultContext, of another engine, or in a scope of its own', async t => {
  const env = environment()
  const app = Fastify()
  t.teardown(() => app.close())
  // Decorators of others that look like it.
  app.decorate('cache', Object.assign(() => { throw new Error('not for you') }, { clearCache () {} }))
  app.decorate('twig', Object.assign((page, data) => data.fastify_chirp_probe(), { clearCache () {} }))
  await app.register(chirp, { templates: env })
  await app.register(fastifyView, { engine: { nunjucks: { configure: () => env } } })
  app.get('/', (request, reply) => reply.page('seen.html', { one: 1 }))
  app.register(async scope => {
    await scope.register(fastifyView, { engine: { nunjucks: { configure: () => env } }, propertyName: 'inner', defaultContext: { two: 2 } })
    scope.get('/inner', (request, reply) => reply.page('seen.html', { one: 1 }))
  })
  t.equal((await app.inject('/')).body, '<p>1--</p>')
  t.equal((await app.inject('/inner')).body, '<p>1-2-</p>')
  t.equal((await app.inject('/')).body, '<p>1--</p>')
})

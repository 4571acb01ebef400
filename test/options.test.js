// Options are checked when the plugin is registered, not at the first request.
import { createRequire } from 'node:module'
import t from 'tap'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp from 'fastify-chirp'
import { resolveOptions } from '../dist/options.js'
import { buildApp } from './helpers/app.js'

async function register (options) {
  const app = Fastify()
  try {
    await app.register(chirp, options)
  } finally {
    await app.close()
  }
}

t.test('the defaults', async t => {
  const { clientKey, ...settings } = resolveOptions({})
  t.same(settings, {
    debug: true,
    client: '/_chirp',
    maxBuffer: 1048576,
    writeTimeout: 10000,
    maxStreams: 0,
    maxStreamsPerClient: 0,
    shutdownGrace: 2000,
    stream: { retry: 3000, closeEvent: undefined, heartbeat: 15000, maxAge: 0, dialect: 'auto', event: undefined, compress: false }
  })
  t.equal(clientKey({ ip: '::1' }), '::1')
})

t.test('debug follows NODE_ENV unless it is set', async t => {
  const { NODE_ENV } = process.env
  t.teardown(() => {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = NODE_ENV
  })
  process.env.NODE_ENV = 'production'
  t.equal(resolveOptions({}).debug, false)
  t.equal(resolveOptions({ debug: true }).debug, true)
  process.env.NODE_ENV = 'development'
  t.equal(resolveOptions({}).debug, true)
  t.equal(resolveOptions({ debug: false }).debug, false)
})

t.test('every option can be set, and switched off where that is possible', async t => {
  const clientKey = () => 'x'
  t.match(resolveOptions({
    debug: true,
    heartbeat: 1000,
    retry: 0,
    closeEvent: 'bye',
    maxBuffer: 1,
    writeTimeout: 1,
    maxAge: 1,
    maxStreams: 1,
    maxStreamsPerClient: 1,
    clientKey,
    shutdownGrace: 0,
    dialect: 'htmx4',
    compress: true,
    prefix: '/x',
    logLevel: 'info'
  }), {
    debug: true,
    maxBuffer: 1,
    writeTimeout: 1,
    maxStreams: 1,
    maxStreamsPerClient: 1,
    clientKey,
    shutdownGrace: 0,
    stream: { heartbeat: 1000, retry: 0, closeEvent: 'bye', maxAge: 1, dialect: 'htmx4', compress: true }
  })
  t.match(resolveOptions({ heartbeat: false, retry: false, writeTimeout: false, maxAge: false }), { writeTimeout: 0, stream: { heartbeat: 0, retry: false, maxAge: 0 } })
  t.equal(resolveOptions({ client: '/a/b-c.d' }).client, '/a/b-c.d')
  t.equal(resolveOptions({ client: false }).client, undefined)
  t.match(resolveOptions({ heartbeat: undefined, retry: undefined, debug: undefined, dialect: undefined }), { stream: { heartbeat: 15000 } })
})

t.test('bad options fail the registration with a message that names them', async t => {
  const noAutoescape = new nunjucks.Environment(null, { autoescape: false })
  const bad = {
    debug: ['yes', 1, null],
    heartbeat: [999, 300001, 0, true, '15000', NaN, 1000.5, Infinity],
    retry: [-1, 1.5, 2147483648, '5', true, null],
    closeEvent: ['', 'a\nb', 5, false],
    maxBuffer: [0, -1, 1.5, '1', false, Infinity],
    writeTimeout: [0, -1, true, 2147483648],
    maxAge: [0, -1, true, 'x'],
    maxStreams: [0, -1, 1.5, false],
    maxStreamsPerClient: [0, 'x'],
    clientKey: ['ip', 5],
    shutdownGrace: [-1, 1.5, false, 2147483648],
    dialect: ['htmx3', 4, null],
    compress: ['gzip', 1, null],
    client: [true, null, '', '/', 'scripts', '/scripts/', '/a b', '/:folder', '/*', '//host', 5],
    templates: [5, [], ['a', 5], '', '/no/such/folder', {}, noAutoescape]
  }
  for (const [option, values] of Object.entries(bad)) {
    for (const value of values) {
      await t.rejects(register({ [option]: value }), { code: 'FST_CHIRP_OPTION', message: new RegExp(option) }, `${option}: ${String(value)}`)
    }
  }
  await t.rejects(register({ hartbeat: 1000 }), { code: 'FST_CHIRP_OPTION', message: /there is no option "hartbeat" of app.register\(chirp\). The options are templates, debug, heartbeat/ })
  await t.rejects(register({ clientKey: () => 'x' }), { code: 'FST_CHIRP_OPTION', message: /"clientKey" has no effect without "maxStreamsPerClient"/ })
  await t.rejects(register({ event: 'x' }), { code: 'FST_CHIRP_OPTION' }, 'event is for one stream')
})

t.test('the messages say what would be right', async t => {
  const message = options => { try { resolveOptions(options) } catch (error) { return error.message } }
  t.equal(message({ heartbeat: 5 }), 'fastify-chirp: option "heartbeat" must be a whole number from 1000 to 300000, not 5')
  t.equal(message({ heartbeat: 0 }), 'fastify-chirp: option "heartbeat" must be milliseconds from 1000 to 300000, or false to switch it off, not 0')
  t.equal(message({ maxStreams: 0 }), 'fastify-chirp: option "maxStreams" must be a whole number of at least 1, not 0')
  t.equal(message({ dialect: 'x' }), 'fastify-chirp: option "dialect" must be \'auto\', \'htmx2\' or \'htmx4\', not the string "x"')
  t.equal(message({ client: true }), 'fastify-chirp: option "client" must be a path such as "/_chirp", or false to switch it off, not true')
  t.equal(message({ closeEvent: '' }), 'fastify-chirp: option "closeEvent": the closeEvent must not be empty. Omit it')
})

t.test('options of one stream are checked in the handler', async t => {
  const app = await buildApp(t)
  const bad = [5, null, 'x', { heartbeat: 5 }, { retry: -1 }, { event: '' }, { closeEvent: 'a\n' }, { maxAge: 0 }, { dialect: 'x' }, { maxBuffer: 5 }]
  app.get('/:n', (request, reply) => reply.eventStream([], bad[request.params.n]))
  for (const n of bad.keys()) {
    const response = await app.inject(`/${n}`)
    t.equal(response.json().code, 'FST_CHIRP_OPTION', JSON.stringify(bad[n]))
  }
  t.equal(app.eventStreams.open, 0)
})

t.test('it is a named Fastify 5 plugin, for require() too', async t => {
  const required = createRequire(import.meta.url)('fastify-chirp')
  t.equal(required.default, chirp)
  t.match(chirp[Symbol.for('plugin-meta')], { name: 'fastify-chirp', fastify: '5.x' })
  const app = Fastify()
  await app.register(required.default)
  t.ok(app.hasPlugin('fastify-chirp'))
  t.ok(app.hasReplyDecorator('eventStream'))
  await app.close()
})

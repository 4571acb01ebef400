// Whatever an option cannot take is refused at once, by an error that names the option and the call.
import Fastify from 'fastify'
import t from 'tap'
import chirp, { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { instrument } from 'fastify-chirp/otel'
import { redisEngine } from 'fastify-chirp/redis'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp } from './helpers/app.js'
import { views } from './helpers/live.js'

const PAGE = '<p {{ sse_connect("/x") }} {{ sse_swap("b") }}>{% block b %}{% endblock %}</p>'
const BAD = [NaN, -1, Infinity, '', null, Symbol('x'), {}, [], () => {}, true]
const NO_OPTIONS = ['text', 5, null, true, [], () => {}, Promise.resolve()]

const app = await buildApp(t, { templates: views({ 'page.html': PAGE }) })
const news = app.channel('news')
const latest = app.channel('latest', { latest: true })
const people = news.presence()
const signal = app.signal('signal', { initial: 0 })
const client = new TestClient(app)
let answer
app.get('/', { live: true }, (request, reply) => answer(reply))

/** The error of a reply of the app. */
async function replied (run) {
  answer = run
  const { body } = await app.inject({ url: '/', headers: { accept: 'text/event-stream' } })
  const { code, message } = body.startsWith('{') ? JSON.parse(body) : {}
  if (code !== undefined) throw Object.assign(new Error(message), { code })
}

let n = 0
// Each call with its options, the words for it in messages, and for each option the bad values that it takes all the same.
const CALLS = {
  'app.register(chirp)': [options => Fastify().register(chirp, options), 'fastify-chirp', {
    debug: [true], compress: [true], contracts: [{}], heartbeat: [], retry: [], closeEvent: [], maxBuffer: [Infinity], writeTimeout: [], maxAge: [], maxStreams: [Infinity], maxStreamsPerClient: [Infinity], shutdownGrace: [], dialect: [], client: [], clientUrl: [], templates: [''], engine: []
  }],
  'app.channel()': [options => app.channel(`${n++}`, options), 'channel', { history: [], latest: [true], viewer: [true], ttl: [], every: [], source: [() => {}], linger: [] }],
  'channel.remove()': [options => latest.remove('a', options), 'remove\\(\\)', {}],
  'channel.publish()': [options => news.publish('a', options), 'publish\\(\\)', {}],
  'channel.subscribe()': [options => news.subscribe(options), 'channel\\.subscribe\\(\\)', { lastEventId: [''], signal: [], filter: [() => {}] }],
  'channel.presence()': [options => app.channel(`${n++}`).presence(options), 'channel\\.presence\\(\\)', { grace: [] }],
  'presence.join()': [options => people.join('a', options), 'presence\\.join\\(\\)', { signal: [] }],
  'presence.track()': [options => people.track('a', options), 'presence\\.track\\(\\)', {}],
  'app.job()': [options => app.job(`${n++}`, async function * () {}, options), 'app\\.job\\(\\)', { keep: [], history: [] }],
  'app.liveView()': [options => app.liveView(`${n++}`, { template: 'page.html', context: () => ({}), ...options }), 'app\\.liveView\\(', { template: [], delay: [] }],
  'app.signal()': [options => app.signal(`s${n++}`, options), 'signal', { source: [() => {}], render: [() => {}], equals: [() => {}] }],
  'app.derived()': [options => app.derived(`s${n++}`, [signal], value => value, options), 'derived', { render: [() => {}], equals: [() => {}] }],
  'app.signals()': [options => app.signals(options), 'app\\.signals\\(\\)', { only: [[]], filter: [() => {}] }],
  'signal.set()': [options => signal.set(n++, options), 'set\\(\\)', {}],
  'reply.eventStream()': [options => replied(reply => reply.eventStream([], options)), 'reply\\.eventStream\\(\\)', { retry: [], closeEvent: [], heartbeat: [], maxAge: [], dialect: [], event: [], key: [[]], compress: [true] }],
  'stream of reply.page()': [options => replied(reply => reply.page('page.html', {}, { live: news, stream: options })), 'reply\\.page\\(\\)', { retry: [], heartbeat: [], maxAge: [], key: [[]] }],
  'new Fragment()': [options => new Fragment('page.html', 'b', {}, options), 'Fragment', { target: [''], id: ['', -1], retry: [], swap: [''] }],
  'new Fragments()': [options => new Fragments([new Fragment('page.html', 'b')], options), 'Fragments', { id: ['', -1], retry: [] }],
  'new SSEEvent()': [options => new SSEEvent(options), 'SSEEvent', { event: [''], id: ['', -1], retry: [] }],
  'redisEngine()': [options => redisEngine({ url: 'redis://localhost', ...options }), 'redisEngine\\(\\)', { url: [], prefix: [''], maxEventBytes: [], commandTimeout: [], connectTimeout: [], offlineQueue: [], idle: [], lazy: [true] }],
  'instrument()': [options => instrument(app, options), 'instrument\\(\\)', { meterProvider: [], tracerProvider: [] }],
  'new TestClient()': [options => new TestClient(app, options), 'new TestClient\\(\\)', { listen: [true] }],
  'client.sse()': [options => client.sse('/', options), 'client\\.sse\\(\\)', { maxEvents: [Infinity], timeout: [], headers: [{}], lastEventId: [''], method: [], payload: ['', {}, []] }],
  'client.open()': [options => client.open('/', options), 'client\\.open\\(\\)', { timeout: [], headers: [{}], lastEventId: [''], method: [], payload: ['', {}, []] }],
  'client.page()': [options => client.page('/', options), 'client\\.page\\(\\)', { timeout: [], headers: [{}], method: [], payload: ['', {}, []] }],
  'app.checkContracts()': [options => app.checkContracts(options), 'app\\.checkContracts\\(\\)', { sources: [[]], severities: [{}], external: [[]] }]
}

const SPREAD = ['app.liveView()', 'redisEngine()']

const isTaken = (value, taken) => taken.some(other => Object.is(value, other) || (typeof value === typeof other && typeof value === 'object' && JSON.stringify(value) === JSON.stringify(other)) || (typeof value === 'function' && typeof other === 'function'))

for (const [name, [call, words, options]] of Object.entries(CALLS)) {
  t.test(name, async t => {
    const refused = (given, message, what) => t.rejects(async () => { await call(given) }, { code: /^FST_CHIRP_/, message }, what)
    await refused({ mispelt: 1 }, new RegExp(`(?=[^]*"mispelt")[^]*${words}`), 'an option that there is not')
    // What is spread in the calls above is an object again.
    if (!SPREAD.includes(name)) for (const given of NO_OPTIONS) if (!(name === 'app.register(chirp)' && (given === null || typeof given !== 'object'))) await refused(given, new RegExp(words), String(typeof given))
    for (const [option, taken] of Object.entries(options)) {
      for (const value of BAD) {
        if (isTaken(value, taken)) continue
        await refused({ [option]: value }, new RegExp(`(?=[^]*${option})[^]*${words}`), `${option}: ${String(value)}`)
      }
    }
  })
}

t.test('a function that gives no options of the plugin', async t => {
  await t.rejects(Fastify().register(chirp, () => {}).ready(), { code: 'FST_CHIRP_OPTION', message: /the options of app\.register\(chirp\) must be an object, not undefined/ })
})

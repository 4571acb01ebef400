// The option `engine`: what is refused, and an engine that fails.
import t from 'tap'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp, never, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { engineWith } from '../helpers/engine.js'

const broken = () => { throw new Error('out of reach') }
const rejecting = async () => broken()
const thenable = () => ({ then (_resolve, reject) { reject(new Error('out of reach')) } })

async function build (t, methods) {
  const app = await buildApp(t, { engine: engineWith(methods), shutdownGrace: 0 })
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  return { app, channel, client: new TestClient(app) }
}

t.test('what is no engine is refused, and says what is missing', async t => {
  for (const [engine, message] of [
    [null, 'not null'], ['redis', 'not the string "redis"'], [{ publish () {}, read () {} }, 'listen(), close() of it is not a method'],
    [engineWith({ open: 1 }), 'open() of it is not a method']
  ]) await t.rejects(async () => { await Fastify().register(chirp, { engine }) }, { code: 'FST_CHIRP_OPTION', message: new RegExp(message.replaceAll(/[()]/g, '\\$&')) })
})

for (const [how, fail] of Object.entries({ throws: broken, rejects: rejecting, 'gives a thenable that rejects': thenable })) {
  t.test(`a publication that the engine ${how} is rejected, and the app goes on`, async t => {
    const { app, channel } = await build(t, { publish: fail })
    await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_ENGINE', cause: { message: 'out of reach' } })
    channel.publish('nobody waits for it')
    await until(() => app.eventStreams.errors === 2)
  })

  t.test(`a stream that needs a read which ${how} ends with chirp:error`, async t => {
    const { client } = await build(t, { read: fail })
    const { events, ended } = await client.sse('/', { lastEventId: 'x' })
    t.same([events.map(({ event }) => event), ended], [['chirp:error'], true])
  })

  t.test(`an engine that ${how} when it listens is asked again`, async t => {
    let fails = true
    const memory = new MemoryEngine()
    const { channel, client } = await build(t, {
      listen: (...given) => fails ? fail() : memory.listen(...given),
      publish: (...given) => memory.publish(...given),
      read: (...given) => memory.read(...given)
    })
    t.equal((await client.sse('/')).events[0].event, 'chirp:error')
    fails = false
    const stream = await client.open('/')
    await until(() => stream.lastEventId !== '')
    await channel.publish('heard')
    t.equal((await stream.next()).data, 'heard')
    stream.close()
  })

  t.test(`close and forget that the engine ${how} are logged, and the app closes`, async t => {
    const { app, channel } = await build(t, { close: fail, forget: fail })
    channel.close()
    await app.close()
    await until(() => app.log.lines.filter(({ err }) => err?.code === 'FST_CHIRP_ENGINE').length === 2)
  })
}

t.test('an engine that never closes does not hold the app', async t => {
  const { app } = await build(t, { close: () => never })
  await app.close()
  t.match(app.log.lines.at(-1).err.message, /longer than 500 ms/)
})

t.test('open() that fails, or gives no name, is told by app.channel()', async t => {
  for (const open of [broken, rejecting, () => 7]) {
    const app = await buildApp(t, { engine: engineWith({ open }) })
    t.throws(() => app.channel('a'), { code: 'FST_CHIRP_ENGINE' })
  }
})

t.test('wrong forms are errors with a code', async t => {
  for (const publish of [() => undefined, () => ({ position: 'a\nb', previous: 'a-1', record: {} })]) {
    const { channel } = await build(t, { publish })
    await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_ENGINE' })
  }
  for (const read of [() => null, () => ({ entries: [], last: 'x' }), () => ({ from: null, entries: [], last: 'a-1' })]) {
    const { client } = await build(t, { read })
    t.equal((await client.sse('/')).events[0].event, 'chirp:error')
  }
})

t.test('events that cannot be read are gaps, live and in a replay, and later events arrive', async t => {
  let tell
  const event = (n, record, previous = n - 1) => ({ position: `e-${n}`, previous: `e-${previous}`, record })
  const entries = [
    event(1, { version: 1, data: 'one' }), event(2, { version: 2, data: 'later' }), event(3, null), event(4, { version: 1, event: 'a\nid: b' }),
    event(5, { version: 1, id: 7 }), event(6, { version: 1, retry: -1 }), event(7, { version: 1, data: 1 }), event(8, { version: 1, parts: [1] }),
    event(9, { version: 1, parts: [{ data: 'x', target: 'a\nb' }] }), event(12, { version: 1, data: 'twelve' }, 11)
  ]
  const { client } = await build(t, {
    listen: (topic, listener) => { tell = listener; return () => {} },
    read: (topic, after) => ({ from: after === 'e-0' ? 'e-0' : undefined, entries: after === 'e-0' ? entries : [], last: after === 'e-0' ? 'e-12' : 'e-0' })
  })
  const wanted = ['one', ...Array(9).fill('chirp:gap'), 'twelve']
  const shown = ({ event, data }) => event ?? data
  t.same((await client.sse('/', { lastEventId: 'e-0', maxEvents: 11 })).events.map(shown), wanted)
  const stream = await client.open('/')
  await until(() => stream.lastEventId !== '')
  tell(undefined)
  for (const event of entries) tell(event)
  const live = []
  while (live.length < 11) live.push(shown(await stream.next()))
  t.same(live, wanted)
  stream.close()
})

t.test('an audience that JSON leaves out is refused: the event would be for everyone', async t => {
  const { channel } = await build(t)
  for (const audience of [() => {}, Symbol('x'), 1n]) await t.rejects(channel.publish('x', { audience }), { code: 'FST_CHIRP_OPTION' })
})

t.test('an id that the engine refuses is FST_CHIRP_ID', async t => {
  const { channel } = await build(t, { publish () { throw Object.assign(new Error('taken'), { code: 'FST_CHIRP_ID' }) } })
  await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_ID', message: /taken/ })
})

// Events for viewers as plain data: what travels through an engine is rendered in any process that has the template, and checked.
import t from 'tap'
import { Fragments } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { toStored } from '../../dist/channel/stored.js'
import { buildApp, until } from '../helpers/app.js'
import { dataOf, take } from '../helpers/channel.js'
import { engineWith } from '../helpers/engine.js'
import { buildViewers, item, url } from '../helpers/viewers.js'

/** An engine that several apps share, through JSON. */
function shared () {
  const memory = new MemoryEngine()
  const records = []
  const copy = value => JSON.parse(JSON.stringify(value))
  return {
    records,
    engine: {
      publish (topic, publication) {
        records.push(publication.record)
        return copy(memory.publish(topic, copy(publication)))
      },
      read: (...given) => copy(memory.read(...given)),
      listen: (topic, listener) => memory.listen(topic, event => listener(copy(event))),
      close () {}
    }
  }
}

const events = (...records) => records.map((record, n) => ({ position: `e-${n + 1}`, previous: `e-${n}`, record }))

/** An engine that has just these events. */
const engineOf = entries => engineWith({
  read: (topic, after) => ({ from: after === 'e-0' ? 'e-0' : undefined, entries: after === 'e-0' ? entries : [], last: `e-${entries.length}` })
})

const fragment = { template: 'item.html', block: 'item', context: '{"text":"x"}' }

t.test('an event is plain data, and is rendered in each process', async t => {
  const { engine, records } = shared()
  const one = await buildViewers(t, { plugin: { engine } })
  const other = await buildViewers(t, { plugin: { engine } })
  const streams = [await one.client.open(url({ role: 'a' })), await other.client.open(url({ role: 'b' }))]
  for (const stream of streams) await until(() => stream.lastEventId !== '')
  const id = await one.channel.publish(item('one', { target: 'x', swap: 'beforeend', id: '7', retry: 5 }))
  await one.channel.publish(new Fragments([item('two', { target: 'y' }), item('three', {})]))
  await one.channel.publish('text')
  t.equal(id, '7')
  t.strictSame(records, [
    { version: 2, target: 'x', id: '7', retry: 5, swap: 'beforeend', fragment: { template: 'item.html', block: 'item', context: '{"text":"one"}' } },
    { version: 2, key: 'y\n', fragments: [{ target: 'y', template: 'item.html', block: 'item', context: '{"text":"two"}' }, { template: 'item.html', block: 'item', context: '{"text":"three"}' }] },
    { version: 1, data: 'text' }
  ])
  for (const [n, role] of ['a', 'b'].entries()) {
    const [first, second, third] = await take(streams[n], 3)
    t.match(first, { event: 'x', data: `<b>${role}: one</b>`, id: '7', retry: 5 })
    t.equal(second.data, `<hx-partial hx-target="#y"><b>${role}: two</b></hx-partial><b>${role}: three</b>`)
    t.equal(third.data, 'text')
    streams[n].close()
  }
  const replay = await other.client.sse(url({ role: 'c' }), { lastEventId: '7', maxEvents: 2 })
  t.match(dataOf(replay.events), [/c: two/, 'text'])
})

t.test('a process without the template says so, and sends the rest', async t => {
  const { engine } = shared()
  const one = await buildViewers(t, { plugin: { engine } })
  const root = t.testdir({ empty: {}, other: { 'item.html': '{% block b %}{% endblock %}' } })
  for (const [templates, code] of [[undefined, 'FST_CHIRP_NO_TEMPLATES'], [`${root}/empty`, 'FST_CHIRP_TEMPLATE_NOT_FOUND'], [`${root}/other`, 'FST_CHIRP_BLOCK_NOT_FOUND']]) {
    const other = await buildViewers(t, { plugin: { engine, templates } })
    const stream = await other.client.open(url(1))
    await until(() => stream.lastEventId !== '')
    await one.channel.publish(item('one'))
    await one.channel.publish('text')
    t.equal((await stream.next()).data, 'text')
    t.same(other.app.log.lines.filter(({ level }) => level === 50).map(({ err }) => err.code), [code])
    stream.close()
  }
})

t.test('text of an engine names no file outside of the templates, and no way out of a block or an object', async t => {
  const root = t.testdir({ views: { 'item.html': '{% block item %}{{ text }}{% endblock %}' }, secret: { 'x.html': '{% block item %}secret{% endblock %}' }, 'views-secret': { 'x.html': '{% block item %}secret{% endblock %}' } })
  const names = ['../secret/x.html', `${root}/secret/x.html`, '../views-secret/x.html', '..\\secret\\x.html', 'item.html\0', './../secret/x.html']
  const blocks = ['__proto__', 'constructor', 'toString', 'item"><script>']
  const records = [...names.map(template => ({ ...fragment, template })), ...blocks.map(block => ({ ...fragment, block })), { ...fragment, context: '{' }, { ...fragment, context: 'null' }]
  const { client, app } = await buildViewers(t, { plugin: { engine: engineOf(events(...records.map(fragment => ({ version: 2, fragment })), { version: 1, data: 'end' })), templates: `${root}/views` } })
  const { events: got } = await client.sse(url(1), { lastEventId: 'e-0', maxEvents: 2 })
  t.same(dataOf(got), ['', 'end'], 'what is null as a context has no values')
  t.equal(app.log.lines.filter(({ level }) => level === 50).length, records.length - 1)
})

t.test('records that are malformed are gaps', async t => {
  const bad = [
    { version: 1, fragment }, { version: 3, fragment }, { version: 2, data: 'x' }, { version: 1, fragment: null }, { version: 2, fragment: 7 }, { version: 2, fragment: { ...fragment, template: '' } },
    { version: 2, fragment: { ...fragment, template: ['item.html'] } }, { version: 2, fragment: { ...fragment, block: undefined } }, { version: 2, fragment: { ...fragment, context: { text: 'x' } } },
    { version: 2, fragments: [] }, { version: 2, fragments: fragment }, { version: 2, fragments: [fragment, null] }, { version: 2, fragments: [{ ...fragment, target: 'a\nid: b' }] },
    { version: 2, fragments: [{ ...fragment, swap: 7 }] }, { version: 2, fragment, target: 'a\rb' }, { version: 2, fragment, id: 'a\nb' }, { version: 2, fragment: 7, fragments: [fragment] }
  ]
  const { client, app } = await buildViewers(t, { plugin: { engine: engineOf(events(...bad, { version: 2, fragment })) } })
  const { events: got } = await client.sse(url({ role: 'a' }), { lastEventId: 'e-0', maxEvents: bad.length + 1 })
  t.same(got.map(({ event, data }) => event ?? data), [...bad.map(() => 'chirp:gap'), '<b>a: x</b>'])
  t.equal(app.eventStreams.errors, bad.length)
})

t.test('fragments with places that cannot be are failing renders', async t => {
  const { client, app } = await buildViewers(t, { plugin: { debug: true, engine: engineOf(events({ version: 2, fragment, swap: 'sideways' }, { version: 1, data: 'end' })) } })
  const { events: got } = await client.sse(url(1), { lastEventId: 'e-0', maxEvents: 1 })
  t.same(dataOf(got), ['end'])
  t.equal(app.log.lines.find(({ level }) => level === 50).err.code, 'FST_CHIRP_FRAGMENT')
})

t.test('where a channel has no viewers, an event for them is a gap, which says what to do', async t => {
  const { engine } = shared()
  const one = await buildViewers(t, { plugin: { engine } })
  const app = await buildApp(t, { engine })
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const client = new TestClient(app)
  const stream = await client.open('/')
  await until(() => stream.lastEventId !== '')
  const { lastEventId } = stream
  await one.channel.publish(item('one'))
  await channel.publish('two')
  const shown = ({ event, data }) => event ?? data
  t.same((await take(stream, 2)).map(shown), ['chirp:gap', 'two'])
  stream.close()
  t.same((await client.sse('/', { lastEventId, maxEvents: 2 })).events.map(shown), ['chirp:gap', 'two'])
  t.match(app.log.lines.find(({ level }) => level === 50).err.message, /rendered for viewers, and this channel has none. Give app.channel\(\) the same options in every process/)
  const viewed = await one.client.sse(url(1), { lastEventId, maxEvents: 2 })
  t.same(viewed.events.map(shown), ['list', 'two'])
})

t.test('a channel that was closed and made anew is what it was made as', async t => {
  const { engine } = shared()
  const { app, channel } = await buildViewers(t, { plugin: { engine } })
  await channel.publish(item('one'))
  const { position } = await engine.publish('a', { record: toStored({ data: 'start' }), history: 10 })
  channel.close()
  const plain = app.channel('a')
  app.get('/plain', (request, reply) => reply.eventStream(plain))
  await engine.publish('a', { record: toStored({ fragment }), history: 10 })
  t.equal((await new TestClient(app).sse('/plain', { lastEventId: position, maxEvents: 1 })).events[0].event, 'chirp:gap')
})

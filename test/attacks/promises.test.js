// Forgotten awaits: a promise that is refused is told of, and its failure does not end the process.
import t from 'tap'
import { Fragment, SSEEvent, merge } from 'fastify-chirp'
import { buildApp, quiet } from '../helpers/app.js'

t.test('a promise where none can be is refused, and its rejection is heard', async t => {
  const app = await buildApp(t, { templates: 'test/fixtures/hardening' })
  const channel = app.channel('news')
  const latest = app.channel('values', { latest: true })
  const viewed = app.channel('viewed', { viewer: true })
  let handler
  app.get('/', { live: true }, (request, reply) => handler(reply))
  const answer = async (accept, handle) => {
    handler = handle
    const { statusCode, body } = await app.inject({ url: '/', headers: { accept } })
    if (statusCode === 500) throw Object.assign(new Error(body), JSON.parse(body))
  }
  const page = handle => answer('text/html', handle)
  const stream = handle => answer('text/event-stream', handle)
  const cases = {
    'reply.page() as context': load => page(reply => reply.page('block.html', load())),
    'reply.page() as options': load => page(reply => reply.page('block.html', {}, load())),
    'reply.page() as template': load => page(reply => reply.page(load())),
    'option live': load => page(reply => reply.page('block.html', {}, { live: load() })),
    'option cursor of a page': load => page(reply => reply.page('block.html', {}, { live: channel, cursor: load() })),
    'option cursor of a stream': load => stream(reply => reply.page('block.html', {}, { live: channel, cursor: load() })),
    'option block': load => page(reply => reply.page('block.html', {}, { block: load() })),
    'option stream': load => page(reply => reply.page('block.html', {}, { live: channel, stream: load() })),
    'option key': load => stream(reply => reply.eventStream(channel, { key: [load()] })),
    'a context of a fragment': load => new Fragment('block.html', 'item', load()),
    'options of a fragment': load => new Fragment('block.html', 'item', {}, load()),
    'a template of a fragment': load => new Fragment(load(), 'item'),
    'a target of a fragment': load => new Fragment('block.html', 'item', {}, { target: load() }),
    'an event': load => new SSEEvent({ event: load(), data: '' }),
    'renderFragment()': load => app.renderFragment(load()),
    'a value': load => channel.publish(load()),
    'parts of a value': load => channel.publish({ one: load(), other: load() }),
    'options of publish()': load => channel.publish('a', load()),
    'an audience': load => channel.publish('a', { audience: load() }),
    'a context for viewers': load => viewed.publish(new Fragment('block.html', 'item', { one: load(), other: load() })),
    'a viewer': load => viewed.subscribe({ viewer: { one: load(), other: load() } }),
    'options of subscribe()': load => channel.subscribe(load()),
    'remove()': load => latest.remove(load()),
    'options of a channel': load => app.channel('other', load()),
    'a job': load => app.job('import', load()),
    'options of a job': load => app.job('import', () => [], load()),
    'a key': load => app.eventStreams.close(load()),
    'a time': load => app.eventStreams.drain(load()),
    'merge()': load => merge(channel, load()),
    'a member': load => channel.presence().track(load()),
    'options of a member': load => channel.presence().track('ann', load())
  }
  const unheard = []
  const note = error => { unheard.push(error.message) }
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  for (const [name, use] of Object.entries(cases)) {
    await t.rejects((async () => use(async () => { throw new Error(name) }))(), { code: /^FST_CHIRP_/ }, name)
  }
  // Rejections that nobody has heard are told once a turn is over.
  await quiet(20)
  t.same(unheard, [])
})

t.test('what is no promise of JavaScript is not asked for its value', async t => {
  const app = await buildApp(t)
  let runs = 0
  const query = { then () { runs++ } }
  t.throws(() => app.channel('news', query), { code: 'FST_CHIRP_OPTION' })
  t.throws(() => new Fragment('a.html', 'a', query), { code: 'FST_CHIRP_FRAGMENT' })
  await t.rejects(app.channel('news').publish(query), { code: 'FST_CHIRP_VALUE' })
  t.equal(runs, 0, 'a query would have been sent')
})

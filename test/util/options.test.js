// An option that is misspelt must never be taken in silence.
import t from 'tap'
import { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

t.test('each object of options refuses what it does not know, and says what was meant', async t => {
  const app = await buildApp(t, { templates: t.testdir({ 'a.html': '{% block b %}{% endblock %}' }) })
  const news = app.channel('news')
  const fragment = new Fragment('a.html', 'b')
  let use
  let error
  app.get('/', async (request, reply) => {
    try {
      return use(reply)
    } catch (thrown) {
      error = thrown
      throw thrown
    }
  })
  const reply = async calls => {
    use = calls
    await app.inject('/')
    throw error
  }
  const cases = [
    [() => new Fragment('a.html', 'b', {}, { tagret: 'x' }), 'FST_CHIRP_FRAGMENT', 'there is no option "tagret" of new Fragment(). The options are target, id, retry, swap. Did you mean "target"?'],
    [() => new Fragments([fragment], { ids: 1 }), 'FST_CHIRP_FRAGMENT', 'there is no option "ids" of new Fragments(). The options are id, retry. Did you mean "id"?'],
    [() => new SSEEvent({ dta: 1 }), 'FST_CHIRP_EVENT', 'there is no option "dta" of new SSEEvent(). The options are data, event, id, retry. Did you mean "data"?'],
    [() => news.publish('x', { audeince: 'ann' }), 'FST_CHIRP_OPTION', 'there is no option "audeince" of publish(). The option is audience. Did you mean "audience"?'],
    [() => app.channel('other', { histroy: 1 }), 'FST_CHIRP_OPTION', 'there is no option "histroy" of app.channel(). The options are history, latest, viewer, ttl, every, source, linger. Did you mean "history"?'],
    [() => news.subscribe({ fliter: () => true }), 'FST_CHIRP_OPTION', 'there is no option "fliter" of channel.subscribe(). The options are lastEventId, signal, filter, viewer. Did you mean "filter"?'],
    [() => news.presence().join('ann', { inof: 1 }), 'FST_CHIRP_OPTION', 'there is no option "inof" of presence.join(). The options are info, signal. Did you mean "info"?'],
    [() => new TestClient(app, { lisen: true }), 'FST_CHIRP_OPTION', 'there is no option "lisen" of new TestClient(). The option is listen. Did you mean "listen"?'],
    [() => new TestClient(app).open('/', { header: {} }), 'FST_CHIRP_OPTION', 'there is no option "header" of client.open(). The options are method, headers, lastEventId, payload, timeout. Did you mean "headers"?'],
    [() => new TestClient(app).sse('/', { maxEvent: 1 }), 'FST_CHIRP_OPTION', 'there is no option "maxEvent" of client.sse(). The options are maxEvents, method, headers, lastEventId, payload, timeout. Did you mean "maxEvents"?'],
    [() => reply(reply => reply.eventStream([], { retyr: 1 })), 'FST_CHIRP_OPTION', 'there is no option "retyr" of reply.eventStream(). The options are retry, closeEvent, heartbeat, maxAge, dialect, event, key, compress. Did you mean "retry"?'],
    [() => reply(reply => reply.page('a.html', {}, { blok: 'b' })), 'FST_CHIRP_OPTION', 'there is no option "blok" of reply.page(). The options are block, stream, timeout, order, await, live, cursor. Did you mean "block"?']
  ]
  for (const [use, code, message] of cases) {
    const error = await (async () => use())().then(() => undefined, error => error)
    t.equal(error?.code, code, message)
    t.ok(error?.message.endsWith(message), error?.message)
  }
})

t.test('a member needs a key', async t => {
  const app = await buildApp(t)
  const people = app.channel('news').presence()
  for (const key of [undefined, '', 7, null]) {
    t.throws(() => people.join(key), { code: 'FST_CHIRP_OPTION', message: /presence\.join\(\) needs a key/ }, String(key))
  }
  t.equal(people.size, 0)
})

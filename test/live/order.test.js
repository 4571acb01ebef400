// Nothing older after something newer, and nothing missed, however things fall together.
import t from 'tap'
import { kAttach, merge } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { engineWith } from '../helpers/engine.js'
import { views } from '../helpers/live.js'
import { buildTickets, contextOf, Page } from '../helpers/live-views.js'

t.test('what was begun before a page was loaded is not sent to it', async t => {
  const waiting = []
  let isSlow = false
  const { app, view, tickets } = await buildTickets(t, {
    context: async (_id, given, ticket) => {
      const context = contextOf(ticket, given)
      if (isSlow) await new Promise(resolve => { waiting.push(resolve) })
      return context
    }
  })
  const first = await Page.load(app, '/tickets/7')
  await first.connect()
  isSlow = true
  tickets.get('7').title = 'old'
  await view.changed('7', ['ticket.title'])
  await until(() => waiting.length === 1)
  isSlow = false
  tickets.get('7').title = 'new'
  await view.changed('7', ['ticket.title'])
  const second = await Page.load(app, '/tickets/7')
  t.match(second.parts.get('header'), /^new/)
  await second.connect()
  await until(() => app.eventStreams.open === 2)
  await new Promise(resolve => setImmediate(resolve))
  waiting[0]()
  await first.take(1)
  t.match(first.parts.get('header'), /^old/)
  await first.take(1)
  t.match(first.parts.get('header'), /^new/)
  await second.take(1)
  t.match(second.parts.get('header'), /^new/)
  await first.close()
  await second.close()
})

t.test('what changes after the changes were read and before the answer is there', async t => {
  const answers = []
  let isSlow = false
  const memory = engineWith({})
  const engine = {
    ...memory,
    read: async (...args) => {
      const page = memory.read(...args)
      if (isSlow) await new Promise(resolve => { answers.push(resolve) })
      return page
    }
  }
  const { view, tickets, calls } = await buildTickets(t, { engine })
  const cursor = await view.source('7').cursor()
  isSlow = true
  const sent = []
  view.source('7')[kAttach]({
    isBlocked: false,
    dialect: { name: 'test', encode: ({ target, data }) => `${target} ${data}` },
    share: ({ text }) => { sent.push(text) },
    failed: error => t.error(error),
    ended () {}
  }, cursor)
  await until(() => answers.length === 1)
  tickets.get('7').total = 2
  await view.changed('7', ['ticket.total'])
  await until(() => calls.length === 1)
  t.same(sent, [])
  answers[0]()
  await until(() => sent.length > 0)
  t.match(sent, ['total 2'])
})

t.test('a signal in a block that waited for another one is not older than what was sent meanwhile', async t => {
  const env = views({
    'page.html': '<main {{ sse_connect() }}><p {{ sse_swap("fast") }}>{% block fast %}{{ n }}{{ signal("s") }}{{ signal("s") }}{{ signal("t") }}{% endblock %}</p><p {{ sse_swap("slow") }}>{% block slow %}{{ n | later }}{% endblock %}</p></main>'
  })
  const answers = []
  env.addFilter('later', (value, callback) => { answers.push(() => callback(null, value)) }, true)
  const app = await buildApp(t, { templates: env })
  let n = 1
  const s = app.signal('s', { initial: 'old' })
  app.signal('t', { initial: '$&' })
  const view = app.liveView('view', { template: 'page.html', context: () => ({ n }), delay: 0 })
  app.get('/', { live: true }, (request, reply) => reply.eventStream(merge(view.source('1'), app.signals())))
  const stream = await new TestClient(app).open('/', { headers: { accept: 'text/event-stream' } })
  const next = async event => {
    for (;;) {
      const got = await stream.next()
      if (got.event === event) return got.data
    }
  }
  await until(() => answers.length === 1)
  answers.shift()()
  await next('slow')
  n = 2
  await view.changed('1')
  await until(() => answers.length === 1)
  await s.set('new $&')
  while (await next('signal:s') !== 'new $&amp;');
  answers.shift()()
  t.same((await next('fast')).replaceAll(/<[^>]+>/g, ' ').split('  '), ['2 new $&amp;', 'new $&amp;', '$&amp; '])
  await stream.close()
})

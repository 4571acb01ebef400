// Nothing older after something newer, and nothing missed, however things fall together.
import t from 'tap'
import { kAttach } from 'fastify-chirp'
import { until } from '../helpers/app.js'
import { engineWith } from '../helpers/engine.js'
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

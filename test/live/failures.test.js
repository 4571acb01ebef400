// What fails costs itself alone, and is tried again.
import net from 'node:net'
import t from 'tap'
import { kAttach } from 'fastify-chirp'
import { listen, quiet, until } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { later } from '../helpers/deferred.js'
import { buildTickets, contextOf, createOutlet, Page, TICKET } from '../helpers/live-views.js'

const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ msg }) => msg)

t.test('a context that fails is tried again, and nothing is lost', async t => {
  let fails = false
  const { app, view, tickets, calls } = await buildTickets(t, {
    context: (_id, given, ticket) => {
      if (fails) throw new Error('no database')
      return contextOf(ticket, given)
    }
  })
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  fails = true
  tickets.get('7').title = 'New'
  await view.changed('7', ['ticket.title'])
  await until(() => app.eventStreams.errors === 1)
  t.same(errorsOf(app), ['the context of live view "ticket" failed. It is tried again'])
  const { length } = calls
  await until(() => calls.length > length)
  t.ok(app.eventStreams.errors > 0)
  fails = false
  t.same(await page.take(1), ['header'], 'by itself')
  t.match(page.parts.get('header'), /^New/)
  fails = true
  await view.changed('7', ['ticket.title'])
  const errors = app.eventStreams.errors
  await until(() => app.eventStreams.errors > errors)
  fails = false
  tickets.get('7').total = 2
  tickets.get('7').title = 'Newer'
  await view.changed('7', ['ticket.total'])
  t.same((await page.take(2)).sort(), ['header', 'total'], 'and at the next change')
  await page.close()
})

for (const debug of [false, true]) {
  t.test(`a block that fails ${debug ? 'is a box in debug' : 'is left as it is'}, and others go on`, async t => {
    const { app, env, view, tickets } = await buildTickets(t, { debug })
    let fails = false
    env.addFilter('ticketFilter', value => {
      if (fails) throw new Error('no <filter>')
      return value
    })
    const page = await Page.load(app, '/tickets/7')
    const { cursor } = page
    await page.connect()
    fails = true
    Object.assign(tickets.get('7'), { title: 'New', total: 2 })
    await view.changed('7')
    // What a stream was never sent is sent.
    const names = await page.take(debug ? 3 : 2)
    t.ok(names.includes('header'))
    if (debug) t.match(page.parts.get('total'), /chirp-block-error.*no &lt;filter&gt;/)
    t.equal(page.cursor, cursor, 'not where it would be with all blocks')
    await page.close()
    await page.connect()
    const again = await page.take(debug ? 3 : 2)
    t.ok(again.includes('header') && again.includes('comments'), 'who comes back gets what the cursor says')
    fails = false
    t.same(await page.take(1), ['total'])
    t.match(page.parts.get('total'), /^2/)
    t.not(page.cursor, cursor)
    t.ok(errorsOf(app).every(message => message === 'block "total" of live view "ticket" failed. It is tried again'))
    await page.close()
  })
}

t.test('in debug a context that fails is a box in each block that was due', async t => {
  let fails = false
  const { app, view } = await buildTickets(t, {
    debug: true,
    context: (_id, given, ticket) => {
      if (fails) throw new Error('no database')
      return contextOf(ticket, given)
    }
  })
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  fails = true
  await view.changed('7', ['comments'])
  t.same(await page.take(1), ['comments'])
  t.match(page.parts.get('comments'), /no database/)
  await page.close()
})

t.test('a template that cannot be loaded is tried again', async t => {
  const { app, env, view, tickets } = await buildTickets(t)
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  const [loader] = env.loaders
  const { getSource } = loader
  loader.getSource = () => { throw new Error('no disk') }
  env.cache = {}
  for (const { cache } of env.loaders) for (const name of Object.keys(cache ?? {})) delete cache[name]
  tickets.get('7').total = 2
  await view.changed('7', ['ticket.total'])
  await until(() => app.eventStreams.errors > 0)
  loader.getSource = getSource
  t.same(await page.take(1), ['total'])
  await page.close()
})

t.test('what is not there is 404, and what is gone ends its streams', async t => {
  const { app, view, tickets } = await buildTickets(t)
  app.setNotFoundHandler((_request, reply) => { reply.code(404).type('text/html').send('no such page') })
  const missing = await Page.load(app, '/tickets/8')
  t.equal(missing.status, 404)
  t.equal(missing.body, 'no such page')
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  tickets.delete('7')
  await view.changed('7')
  t.same(await page.take(1), ['chirp:gone'])
  t.equal(await page.next(), undefined)
  await until(() => app.eventStreams.open === 0)
  await page.connect()
  t.same(await page.take(1), ['chirp:gone'], 'also for who comes back')
  t.equal((await page.load()).status, 404)
})

t.test('a context that is none', async t => {
  const { app } = await buildTickets(t, { context: () => 'ticket' })
  const { status, body } = await Page.load(app, '/tickets/7')
  t.equal(status, 500)
  t.match(body, /must give an object of names and values, or null when the key does not exist, not the string \\"ticket\\"/)
})

t.test('the signal of a context that nobody waits for aborts, and what it fails with is not told', async t => {
  let given
  const { app, view } = await buildTickets(t, {
    context: (_id, context, ticket) => {
      if (given === undefined) {
        given = context
        return contextOf(ticket)
      }
      given = context
      return new Promise((resolve, reject) => { context.signal.addEventListener('abort', () => reject(new Error('aborted'))) })
    }
  })
  const page = await Page.load(app, '/tickets/7')
  await until(() => given.signal.aborted)
  const first = given
  await page.connect()
  await view.changed('7')
  await until(() => given !== first)
  t.equal(given.signal.aborted, false)
  await page.close()
  await until(() => given.signal.aborted)
  await quiet(20)
  t.equal(app.eventStreams.errors, 0)
})

t.test('a change while a render runs makes it run again', async t => {
  const { app, env, view, tickets, calls } = await buildTickets(t, { template: TICKET.replace('{{ ticket.title }}', '{{ ticket.title | later }}') })
  const loading = Page.load(app, '/tickets/7')
  await until(() => env.waiting.length === 1)
  env.answer()
  const page = await loading
  await page.connect()
  for (const title of ['one', 'two']) {
    tickets.get('7').title = title
    await view.changed('7', ['ticket.title'])
    await until(() => calls.length === 2)
    await until(() => env.waiting.length === 1)
  }
  env.answer()
  t.same(await page.take(1), ['header'])
  t.match(page.parts.get('header'), /^one/)
  await until(() => env.waiting.length === 1)
  env.answer()
  t.same(await page.take(1), ['header'])
  t.match(page.parts.get('header'), /^two/)
  await page.close()
})

t.test('a context that gives nothing for long is given up, aborted and called again', async t => {
  const asked = []
  const { app, view, tickets } = await buildTickets(t, {
    context: (_id, given, ticket) => asked.push(given) === 1 ? new Promise(() => {}) : contextOf(ticket, given)
  })
  await app.ready()
  const { pass } = stopClock(t)
  const outlet = createOutlet()
  const attachment = view.source('7')[kAttach](outlet, await view.source('7').cursor())
  await settle()
  tickets.get('7').title = 'New'
  await view.changed('7', ['ticket.title'])
  await pass(0)
  t.equal(asked.length, 1)
  await pass(29_999)
  t.equal(asked[0].signal.aborted, false)
  await pass(1)
  t.equal(asked[0].signal.aborted, true)
  t.same(app.log.lines.filter(({ level }) => level === 50).map(({ err }) => err.code), ['FST_CHIRP_CONTEXT_TIMEOUT'])
  await pass(1000)
  t.equal(asked.length, 2)
  t.match(outlet.sent.join(''), /^header /)
  attachment.detach()
})

t.test('a client that leaves before its page is there: nothing is made for nobody, and nothing fails', async t => {
  for (const stage of ['authorize', 'context']) {
    const asked = later()
    const stages = []
    const signals = []
    const { app } = await buildTickets(t, {
      view: {
        authorize: () => {
          stages.push('authorize')
          return stage === 'authorize' ? asked.promise : true
        }
      },
      context: (id, { signal }) => {
        stages.push('context')
        signals.push(signal)
        return new Promise((resolve, reject) => { signal.addEventListener('abort', () => reject(signal.reason)) })
      }
    })
    let closed = 0
    const port = await listen(app)
    app.server.once('connection', socket => { socket.once('close', () => { closed++ }) })
    const socket = net.connect(port)
    socket.write('GET /tickets/7 HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(() => stages.at(-1) === stage)
    socket.destroy()
    await until(() => closed === 1)
    asked.resolve(true)
    await settle()
    await app.close()
    t.equal(stages.at(-1), stage)
    t.same(signals.map(({ aborted }) => aborted), stage === 'context' ? [true] : [])
    t.same(errorsOf(app), [])
    t.equal(app.eventStreams.errors, 0)
  }
})

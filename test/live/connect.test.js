// What a client gets when it connects, comes back, or is slow.
import net from 'node:net'
import t from 'tap'
import { Fragment, kAttach, merge } from 'fastify-chirp'
import { listen, until } from '../helpers/app.js'
import { AsyncEngine } from '../helpers/engine.js'
import { buildTickets, Page } from '../helpers/live-views.js'

const engines = { 'in memory': () => undefined, 'an engine that takes its time': () => new AsyncEngine() }

for (const [name, createEngine] of Object.entries(engines)) {
  t.test(`${name}: an equal cursor gets nothing, a known one what has changed since, an unknown one all`, async t => {
    const { app, view, tickets } = await buildTickets(t, { engine: createEngine() })
    const ticket = tickets.get('7')
    const page = await Page.load(app, '/tickets/7')
    const { cursor } = page
    await page.connect()
    ticket.total = 2
    await view.changed('7', ['ticket.total'])
    t.same(await page.take(1), ['total'], 'nothing before')
    await page.close()
    await until(() => app.eventStreams.open === 0)
    ticket.comments.push('b')
    await view.changed('7', ['comments'])
    await view.changed('7', ['nothing.that.is.read'])
    await page.connect()
    t.same(await page.take(1), ['comments'])
    await page.close()
    const old = await Object.assign(new Page(app, '/tickets/7'), { cursor, address: page.address }).connect()
    t.same((await old.take(2)).sort(), ['comments', 'total'])
    t.match(old.cursor, /-3$/)
    await old.close()
    for (const unknown of ['', 'x', 'zzzzzzzz-7', cursor.replace('-0', '-99'), '\u0000', `${cursor}~${cursor}`, '*']) {
      const lost = await Object.assign(new Page(app, '/tickets/7'), { cursor: unknown, address: page.address }).connect()
      t.same((await lost.take(3)).sort(), ['comments', 'header', 'total'], JSON.stringify(unknown))
      t.match(lost.cursor, /-3$/)
      t.equal(lost.events.filter(({ id }) => id !== undefined).length, 1, 'the last one brings the id')
      await lost.close()
    }
  })

  t.test(`${name}: more changes than are kept`, async t => {
    const { app, view } = await buildTickets(t, { engine: createEngine() })
    const page = await Page.load(app, '/tickets/7')
    for (let n = 0; n < 1001; n++) await view.changed('7', ['clock'])
    await page.connect()
    t.same((await page.take(3)).sort(), ['comments', 'header', 'total'])
    await page.close()
  })

  t.test(`${name}: what changes while a stream starts is not missed`, async t => {
    const { app, view, tickets } = await buildTickets(t, { engine: createEngine() })
    const page = await Page.load(app, '/tickets/7')
    const connecting = page.connect()
    const ticket = tickets.get('7')
    for (let n = 0; n < 20; n++) {
      ticket.title = `title ${n}`
      await view.changed('7', ['ticket.title'])
      await new Promise(resolve => setImmediate(resolve))
    }
    await connecting
    while (!page.parts.get('header').startsWith('title 19')) await page.next()
    t.pass()
    await page.close()
  })

  t.test(`${name}: merged with a channel, under one cursor and without a gap`, async t => {
    const { app, view, tickets } = await buildTickets(t, { engine: createEngine(), route: false })
    const news = app.channel('news', { history: 5 })
    const ticket = tickets.get('7')
    app.get('/tickets/:id', { live: true }, (request, reply) => reply.page('ticket.html', () => ({ ticket: { ...ticket, name: '' }, comments: [], clock: '' }), {
      live: merge(view.source(request.params.id, request), news)
    }))
    const page = await Page.load(app, '/tickets/7')
    t.match(page.cursor, /^\w+-0~\w+-0$/)
    await page.connect()
    ticket.title = 'New'
    await view.changed('7', ['ticket.title'])
    await page.take(1)
    t.match(page.cursor, /^\w+-1~\w+-0$/)
    await news.publish(new Fragment('ticket.html', 'comments', { comments: [] }, { target: 'news' }))
    t.same(await page.take(1), ['news'])
    t.match(page.cursor, /^\w+-1~\w+-1$/)
    await page.close()
    ticket.title = 'Newer'
    await view.changed('7', ['ticket.title'])
    await page.connect()
    t.same(await page.take(1), ['header'])
    await page.close()
    // The place of the view is unknown, that of the channel is not.
    const [, position] = page.cursor.split('~')
    await page.connect({ cursor: position })
    t.same((await page.take(3)).sort(), ['comments', 'header', 'total'])
    await page.close()
    await page.connect({ cursor: `zzzzzzzz-1~${position}` })
    t.same((await page.take(3)).sort(), ['comments', 'header', 'total'])
    await page.close()
    // And the other way round: the channel has a gap.
    for (let n = 0; n < 50; n++) await news.publish('x')
    await page.connect({ cursor: position })
    t.ok((await page.take(4)).includes('chirp:gap'))
    await page.close()
    await page.connect({ cursor: '' })
    const events = await page.take(3)
    t.notOk(events.includes('chirp:gap'))
    await page.close()
  })
}

t.test('a slow client skips to the newest', async t => {
  const { app, view, tickets, calls } = await buildTickets(t)
  const ticket = tickets.get('7')
  const page = await Page.load(app, '/tickets/7')
  const socket = net.connect(await listen(app), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', data => { text += data })
  socket.write(`GET ${page.address} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`)
  await until(() => text.includes(': open'))
  socket.pause()
  const rounds = 60
  for (let n = 0; n <= rounds; n++) {
    const before = calls.length
    ticket.title = `${n} ${'x'.repeat(300_000)}`
    await view.changed('7', ['ticket.title'])
    await until(() => calls.length > before)
  }
  ticket.total = 'last'
  await view.changed('7', ['ticket.total'])
  await until(() => app.eventStreams.renders === rounds + 2)
  t.equal(app.eventStreams.open, 1, 'more than maxBuffer is not kept for it')
  socket.resume()
  await until(() => text.includes('event: total') && text.includes(`data: ${rounds} `) && /id: \w+-62\n/.test(text))
  const titles = [...text.matchAll(/data: (\d+) x/g)].map(([, n]) => Number(n))
  t.ok(titles.length < rounds, `${titles.length} of ${rounds} titles`)
  t.same(titles, [...titles].sort((a, b) => a - b))
})

t.test('the cursor of a client that was sent nothing moves on, and never past what it has yet to get', async t => {
  const { view, tickets } = await buildTickets(t)
  const outlet = createOutlet()
  const source = view.source('7')
  const start = await source.cursor()
  const attachment = source[kAttach](outlet, start)
  t.equal(attachment.cursor(), undefined)
  await view.changed('7', ['nothing'])
  await until(() => attachment.cursor() === start.replace('-0', '-1'))
  t.equal(attachment.cursor(), undefined)
  outlet.isBlocked = true
  tickets.get('7').total = 2
  await view.changed('7', ['ticket.total'])
  await until(() => outlet.waiting !== undefined)
  t.equal(attachment.cursor(), undefined)
  outlet.isBlocked = false
  outlet.waiting()
  await until(() => outlet.sent.length > 0)
  t.match(outlet.sent.join(''), /total/)
  attachment.detach()
  attachment.detach()

  function createOutlet () {
    const outlet = {
      sent: [],
      isBlocked: false,
      dialect: { name: 'test', encode: ({ target, id, data }) => `${target} ${data} ${id}\n` },
      share: ({ text }) => { outlet.sent.push(text) },
      send: text => { outlet.sent.push(text) },
      flush () {},
      whenDrained: () => new Promise(resolve => { outlet.waiting = resolve }),
      ended () { outlet.isEnded = true },
      failed (error) { outlet.error = error }
    }
    return outlet
  }
})

// What a change brings to those who follow, and what it costs.
import t from 'tap'
import { quiet, until } from '../helpers/app.js'
import { buildTickets, Page } from '../helpers/live-views.js'

t.test('a page, and the blocks that follow a change', async t => {
  const { app, view, tickets, calls } = await buildTickets(t)
  const page = await Page.load(app, '/tickets/7')
  t.equal(page.status, 200)
  t.equal(page.parts.get('comments'), '<li>a</li>')
  await page.connect()
  t.match(page.address, /^\/tickets\/7\?lastEventId=\w+-0$/)
  tickets.get('7').comments.push('b')
  await view.changed('7', ['comments'])
  t.same(await page.take(1), ['comments'])
  t.equal(page.parts.get('comments'), '<li>a</li><li>b</li>')
  t.match(page.cursor, /^\w+-1$/)
  tickets.get('7').title = 'New'
  tickets.get('7').total = 2
  await view.changed(7)
  t.same((await page.take(2)).sort(), ['header', 'total'], 'what is as it was is not sent')
  t.match(page.parts.get('header'), /^New/)
  t.equal(app.eventStreams.renders, 4)
  t.equal(calls.length, 3)
  t.same(calls[0][0], '7')
  t.equal(calls[0][1].viewer, undefined)
  await page.close()
})

t.test('a change of more than a thousand paths is a change of everything', async t => {
  const { app, view, tickets } = await buildTickets(t)
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  Object.assign(tickets.get('7'), { title: 'T', total: 7 })
  await view.changed('7', Array.from({ length: 1001 }, (_, n) => `elsewhere${n}`))
  t.same(await page.take(3), ['header', 'comments', 'total'])
  await page.close()
})

t.test('one context and one render of each dirty block, whatever the number of followers', async t => {
  const { app, view, tickets, calls } = await buildTickets(t, { view: { delay: 20 } })
  const page = await Page.load(app, '/tickets/7')
  const pages = []
  for (let n = 0; n < 50; n++) {
    const next = Object.assign(new Page(app, '/tickets/7'), { cursor: page.cursor, address: page.address })
    pages.push(await next.connect())
  }
  const before = calls.length
  tickets.get('7').title = 'New'
  tickets.get('7').total = 2
  for (let n = 0; n < 10; n++) await view.changed('7', ['ticket.title'])
  await view.changed('7', ['ticket.total'])
  const sent = []
  for (const page of pages) sent.push((await page.take(2)).sort().join())
  t.same(new Set(sent), new Set(['header,total']))
  t.equal(calls.length, before + 1)
  t.equal(app.eventStreams.renders, 2)
  // The same again changes nothing, and is not sent.
  await view.changed('7')
  await until(() => calls.length === before + 2)
  tickets.get('7').comments.push('last')
  await view.changed('7', ['comments'])
  const more = []
  for (const page of pages) more.push(...await page.take(1))
  t.same(more, pages.map(() => 'comments'))
  for (const page of pages) await page.close()
  await until(() => app.eventStreams.open === 0)
  const { renders } = app.eventStreams
  await view.changed('7')
  await quiet(50)
  t.equal(app.eventStreams.renders, renders, 'without followers nothing is rendered')
})

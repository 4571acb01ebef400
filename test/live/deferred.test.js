// Deferred values in the context of a live view: the page gets parts, its streams get what has settled.
import t from 'tap'
import { defer } from 'fastify-chirp'
import { until } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { later } from '../helpers/deferred.js'
import { buildTickets, Page } from '../helpers/live-views.js'

const VIEW = `<main {{ sse_connect() }}><h1 {{ sse_swap("header") }}>{% block header %}{{ ticket.title }}{% endblock %}</h1>
<ul {{ sse_swap("comments") }}>{% block comments %}{% if comments is failed %}no{% else %}{% for comment in comments %}<li>{{ comment.text }}</li>{% endfor %}{% endif %}{% endblock %}</ul></main>`

const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ msg, err }) => `${msg}: ${err.message}`)

async function build (t, load, options) {
  return buildTickets(t, { template: VIEW, context: (id, given, ticket) => ({ ticket, comments: defer(defers => load(ticket, defers)) }), ...options })
}

const listOf = ({ comments }) => comments.map(text => ({ text }))

t.test('a stream waits for the values that its blocks read, and only for those', async t => {
  for (const debug of [false, true]) {
    let loads = 0
    const { app, view, tickets } = await build(t, async (ticket, { signal, log }) => {
      loads++
      await new Promise(resolve => setImmediate(resolve))
      t.ok(signal instanceof AbortSignal)
      t.type(log.info, 'function')
      return listOf(ticket)
    }, { debug })
    const page = await Page.load(app, '/tickets/7')
    t.match(page.body, '<li>a</li></template>', 'the page has it as a part')
    await page.connect()
    tickets.get('7').comments.push('b')
    await view.changed('7', ['comments'])
    t.same(await page.take(1), ['comments'])
    t.equal(page.parts.get('comments'), '<li>a</li><li>b</li>')
    tickets.get('7').title = 'New'
    await view.changed('7', ['ticket.title'])
    t.same(await page.take(1), ['header'])
    t.equal(page.parts.get('header'), 'New')
    t.equal(loads, 2, 'nobody needed it a third time')
    t.same(errorsOf(app), [])
    await page.close()
  }
})

t.test('a value that fails costs its own blocks, which keep what they show and are tried again', async t => {
  for (const fail of [() => { throw new Error('at once') }, async () => { throw new Error('later') }, () => Promise.reject(new Error('rejected'))]) {
    let fails = false
    const { app, view, tickets } = await build(t, ticket => fails ? fail() : listOf(ticket))
    const page = await (await Page.load(app, '/tickets/7')).connect()
    fails = true
    Object.assign(tickets.get('7'), { title: 'New', comments: ['b'] })
    await view.changed('7')
    t.same(await page.take(1), ['header'], 'the others go on')
    t.match(errorsOf(app)[0], /^the deferred value "comments" of live view "ticket" failed\. It is tried again: (?:at once|later|rejected)$/)
    fails = false
    t.same(await page.take(1), ['comments'])
    t.equal(page.parts.get('comments'), '<li>b</li>')
    await page.close()
  }
})

t.test('one that takes too long fails, and hears of it', async t => {
  const { app, view } = await build(t, (ticket, { signal }) => {
    if (isSlow) signals.push(signal)
    return isSlow ? new Promise(() => {}) : listOf(ticket)
  })
  const signals = []
  let isSlow = false
  const page = await (await Page.load(app, '/tickets/7')).connect()
  isSlow = true
  const clock = stopClock(t)
  await view.changed('7', ['comments'])
  while (signals.length === 0) await clock.pass(1)
  await clock.pass(10_000)
  while (errorsOf(app).length === 0) await settle()
  t.match(errorsOf(app)[0], 'was not there within 10000 ms')
  t.ok(signals[0].aborted)
  await page.close()
})

t.test('its signal aborts when nobody waits any more', async t => {
  const signals = []
  const held = later()
  const { app, view } = await build(t, (ticket, { signal }) => signals.push(signal) === 1 ? listOf(ticket) : held.promise)
  const page = await (await Page.load(app, '/tickets/7')).connect()
  await view.changed('7', ['comments'])
  await until(() => signals.length === 2)
  t.notOk(signals[1].aborted)
  await page.close()
  await until(() => signals[1].aborted)
  held.reject(signals[1].reason)
  await app.close()
  t.same(errorsOf(app), [])
})

t.test('reply.live() takes the options of a page whose values are deferred', async t => {
  const held = later()
  const { app, view } = await build(t, () => held.promise, { route: false })
  for (const [name, options] of Object.entries({ late: { timeout: 1 }, order: { order: 'document' }, whole: { await: () => true }, bad: { timeout: 'soon' } })) {
    app.get(`/${name}`, { live: true }, (request, reply) => reply.live(view, '7', options))
  }
  const page = async name => (await app.inject({ url: `/${name}`, headers: { accept: 'text/html' } })).body
  t.match(await page('late'), /<template id="chirp-part-[^>]+>no<\/template>/)
  const waiting = ['order', 'whole'].map(page)
  held.resolve([{ text: 'a' }])
  for (const body of await Promise.all(waiting)) {
    t.match(body, /<li>a<\/li><\/ul><\/main>$/)
    t.notMatch(body, /<template/)
  }
  t.match(await page('bad'), /option \\"timeout\\"/)
})

// Live views over an engine: what one process says, all do; and an engine that fails.
import t from 'tap'
import { kAttach, merge } from 'fastify-chirp'
import { quiet, until } from '../helpers/app.js'
import { stopClock } from '../helpers/clock.js'
import { AsyncEngine, engineWith } from '../helpers/engine.js'
import { buildTickets, contextOf, createOutlet, Page } from '../helpers/live-views.js'

/** An engine that apps share, and what happens to it. */
function shared (methods = {}) {
  const engine = engineWith({})
  const deaf = { is: false }
  return Object.assign(engine, {
    deaf,
    published: [],
    listen: (listen => (topic, listener) => listen(topic, event => { if (!deaf.is) listener(event) }))(engine.listen),
    publish: (publish => (...args) => {
      engine.published.push(args)
      return publish(...args)
    })(engine.publish),
    ...methods
  })
}

t.test('what one process says, the streams of all follow', async t => {
  const engine = shared()
  const one = await buildTickets(t, { engine })
  const two = await buildTickets(t, { engine })
  const page = await Page.load(one.app, '/tickets/7')
  await page.connect()
  one.tickets.get('7').total = 2
  await two.view.changed('7', ['ticket.total'])
  t.same(await page.take(1), ['total'])
  t.equal(two.calls.length, 0, 'each renders for its own')
  await page.close()
  page.app = two.app
  two.tickets.get('7').title = 'New'
  await two.view.changed('7', ['ticket.title'])
  await page.connect()
  t.same(await page.take(1), ['header'], 'a client goes on anywhere')
  await page.close()
})

t.test('a viewer that may not look any more is closed in all processes', async t => {
  const engine = shared()
  let allows = true
  const view = { authorize: () => allows }
  const one = await buildTickets(t, { engine, view })
  const two = await buildTickets(t, { engine, view })
  const page = await Page.load(one.app, '/tickets/7')
  await page.connect()
  t.equal(await two.view.recheck('7'), 0)
  allows = false
  await two.view.recheck('7')
  t.same(await page.take(1), ['chirp:closed'])
})

t.test('what was lost may have been anything', async t => {
  const engine = shared()
  let asked = 0
  const { app, view, tickets } = await buildTickets(t, { engine, view: { authorize: () => ++asked > 0 } })
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  engine.deaf.is = true
  tickets.get('7').total = 2
  await view.changed('7', ['ticket.total'])
  engine.deaf.is = false
  const before = asked
  await view.changed('7', ['nothing'])
  t.same((await page.take(3)).sort(), ['comments', 'header', 'total'])
  t.ok(asked > before, 'also that somebody may not look any more')
  for (const data of ['{', '{"version":2,"paths":[]}', '{"version":1,"paths":7}', '{"version":1,"paths":[7]}', 'null', undefined]) {
    const [[topic]] = engine.published
    tickets.get('7').total++
    const rechecks = asked
    await engine.publish(topic, { record: { version: 1, ...(data === undefined ? { parts: [] } : { data }) }, audience: undefined, history: 1000 })
    t.same(await page.take(1), ['total'], `what cannot be read: ${data}`)
    t.ok(asked > rechecks)
  }
  await page.close()
})

t.test('an engine that takes no change: the streams here follow, and it is told', async t => {
  let fails = false
  const engine = shared()
  const { publish } = engine
  engine.publish = (...args) => {
    if (fails) throw new Error('no network')
    return publish(...args)
  }
  const { app, view, tickets } = await buildTickets(t, { engine })
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  fails = true
  tickets.get('7').total = 2
  await t.rejects(view.changed('7', ['ticket.total']), { code: 'FST_CHIRP_ENGINE' })
  t.same(await page.take(1), ['total'])
  view.changed('8')
  await until(() => app.eventStreams.errors === 2)
  t.same(app.log.lines.filter(({ level }) => level === 50).map(({ msg }) => msg), ['live view "ticket" could not tell a change'], 'an outage is logged once')
  await page.close()
})

t.test('an engine that does not answer fails the page and the stream, and the next try works', async t => {
  let fails = false
  const engine = shared()
  const { read } = engine
  engine.read = (...args) => {
    if (fails) throw new Error('no network')
    return read(...args)
  }
  const { app, view } = await buildTickets(t, { engine })
  const page = await Page.load(app, '/tickets/7')
  fails = true
  t.equal((await app.inject('/tickets/8')).statusCode, 500)
  const outlet = createOutlet()
  view.source('9')[kAttach](outlet, 'x')
  await until(() => outlet.error !== undefined)
  t.match(outlet.error, { code: 'FST_CHIRP_ENGINE' })
  await page.connect()
  t.same(await page.take(1), ['chirp:error'])
  await page.close()
  fails = false
  await page.connect({ cursor: '' })
  t.equal((await page.take(3)).length, 3)
  await page.close()
})

t.test('an engine that cannot listen fails those who have joined', async t => {
  const engine = shared({ read: async () => { throw new Error('no network') } })
  const { view } = await buildTickets(t, { engine, route: false })
  await t.rejects(view.source('7').cursor(), { code: 'FST_CHIRP_ENGINE' })
})

t.test('without followers and with an engine a change is told, else there is nobody to tell', async t => {
  const engine = shared()
  const one = await buildTickets(t, { engine })
  await one.view.changed('7', ['comments', 'comments[0]', 'comments[1]'])
  await one.view.changed('7', [])
  const { record } = engine.published.at(-1)[1]
  t.equal(engine.published.length, 1)
  t.same(JSON.parse(record.data), { version: 1, paths: ['comments', 'comments[]'] })
  const { view } = await buildTickets(t)
  t.equal(await view.changed('7'), undefined)
})

t.test('keys that nobody follows are forgotten', async t => {
  const { app, view, calls } = await buildTickets(t)
  const first = await Page.load(app, '/tickets/7')
  await first.connect()
  const idle = await view.source('8').cursor()
  for (let n = 0; n < 10_000; n++) await view.source(`idle ${n}`).cursor()
  t.not((await view.source('8').cursor()).split('-')[0], idle.split('-')[0], 'the oldest first')
  calls.length = 0
  await view.changed('7', ['comments'])
  t.same(await first.take(1), ['comments'], 'and none that is followed')
  await first.close()
})

t.test('a key that is forgotten while it is asked who may look', async t => {
  let asked = 0
  const { view } = await buildTickets(t, {
    view: {
      authorize: async () => {
        if (++asked === 1) for (let n = 0; n < 10_001; n++) await view.source(`idle ${n}`, {}).cursor()
        return true
      }
    }
  })
  const outlet = createOutlet()
  view.source('7', {})[kAttach](outlet, '')
  await until(() => outlet.sent.length > 0)
  t.equal(asked, 2)
})

t.test('keys that nobody has followed for five minutes are forgotten, with all that is kept of them', async t => {
  const { app, view } = await buildTickets(t)
  await app.ready()
  const { pass, timers } = stopClock(t)
  const epochOf = async key => (await view.source(key).cursor()).split('-')[0]
  const [seven, eight] = [await epochOf('7'), await epochOf('8')]
  const outlet = createOutlet()
  const attachment = view.source('9')[kAttach](outlet, '')
  await pass(1)
  t.equal(outlet.sent.length, 0)
  await pass(200_000)
  t.equal(await epochOf('8'), eight)
  await pass(110_000)
  t.equal(await epochOf('8'), eight)
  t.not(await epochOf('7'), seven)
  attachment.detach()
  await pass(700_000)
  t.equal(timers.size, 0)
})

t.test('after the app has closed', async t => {
  const { app, view } = await buildTickets(t)
  const source = view.source('7')
  const outlet = createOutlet()
  source[kAttach](outlet, '')
  await until(() => outlet.sent.length > 0)
  await app.close()
  t.equal(outlet.isEnded, true)
  await t.rejects(view.changed('7'), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
  await t.rejects(source.cursor(), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
  t.equal(app.eventStreams.errors, 0)
})

t.test('outlets of an app', async t => {
  let allows = true
  const { app, view, tickets } = await buildTickets(t, { view: { authorize: () => allows, viewer: request => request.viewer } })
  const request = { viewer: 'a' }
  const follow = (outlet, source = view.source('7', request)) => source[kAttach](outlet, '')
  const [plain, throws, merged] = [createOutlet(), createOutlet({ share () { throw new Error('no bytes') } }), createOutlet()]
  follow(plain)
  follow(throws)
  follow(merged, merge(view.source('7', request), app.channel('news')))
  await until(() => plain.sent.length > 0 && merged.sent.length > 0)
  t.match(throws.error, { message: 'no bytes' }, 'one that fails is the end of its own stream')
  t.match(plain.sent.join(''), /^header undefined\ncomments undefined\ntotal \w+-0\n$/)
  const blocked = createOutlet({ isBlocked: true })
  const attachment = follow(blocked)
  await until(() => blocked.drain !== undefined)
  t.equal(attachment.cursor(), undefined)
  tickets.get('7').total = 2
  blocked.isBlocked = false
  blocked.share = () => { throw new Error('late') }
  blocked.drain()
  await until(() => blocked.error !== undefined)
  allows = false
  t.equal(await view.recheck('7'), 2)
  for (const outlet of [plain, merged]) t.match(outlet.sent.at(-1), /^event: chirp:closed/)
  t.ok(plain.isEnded && !blocked.isEnded)
  allows = true
  const left = createOutlet()
  follow(left).detach()
  await quiet(10)
  t.same(left.sent, [])
  const second = createOutlet()
  const first = createOutlet({ ended () { following.detach() } })
  follow(first)
  const following = follow(second)
  await until(() => first.sent.length > 0 && second.sent.length > 0)
  tickets.delete('7')
  await view.changed('7')
  await until(() => first.sent.at(-1).startsWith('event: chirp:gone'))
  await quiet(10)
  t.notMatch(second.sent.at(-1), /chirp:gone/)
})

t.test('one whose viewer is another one before its stream has begun', async t => {
  const reads = []
  const engine = new AsyncEngine()
  const { read } = engine
  let isSlow = false
  engine.read = async (...args) => {
    if (isSlow) await new Promise(resolve => { reads.push(resolve) })
    return read.apply(engine, args)
  }
  let viewer = 'a'
  const { view, calls } = await buildTickets(t, { engine, view: { viewer: () => viewer }, context: (_id, given, ticket) => contextOf(ticket, given) })
  await view.source('7', {}).cursor()
  isSlow = true
  const outlet = createOutlet()
  view.source('7', {})[kAttach](outlet, 'x')
  await until(() => reads.length === 1)
  viewer = 'b'
  t.equal(await view.recheck('7'), 0)
  const left = createOutlet()
  const attachment = view.source('7', {})[kAttach](left, 'x')
  await until(() => reads.length === 2)
  attachment.detach()
  isSlow = false
  for (const read of reads) read()
  await until(() => outlet.sent.length > 0)
  t.same(calls.map(([, { viewer }]) => viewer), ['b'])
  t.same(left.sent, [])
})

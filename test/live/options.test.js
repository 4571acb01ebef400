// How a live view is made, and what it says of itself.
import t from 'tap'
import { buildApp, until } from '../helpers/app.js'
import { views } from '../helpers/live.js'
import { buildTickets, contextOf, Page, TICKET } from '../helpers/live-views.js'

t.test('bad names and options', async t => {
  const { app, view } = await buildTickets(t)
  const good = { template: 'ticket.html', context: () => ({}) }
  const cases = [
    ['', good, /needs a name/], [7, good, /needs a name/], ['a', undefined, /must be an object, not undefined/], ['a', null, /must be an object/],
    ['a', { ...good, templete: 1 }, /no option "templete" of app\.liveView\('a'\).*Did you mean "template"/],
    ['a', { ...good, template: '' }, /"template" .* must be the name of a template/], ['a', { ...good, context: {} }, /"context" .* must be a function/],
    ['a', { ...good, viewer: {} }, /"viewer" .* must be a function of a request, not an object/], ['a', { ...good, authorize: true }, /"authorize"/],
    ['a', { ...good, blocks: 'header' }, /"blocks" .* must be a list/], ['a', { ...good, blocks: [7] }, /in "blocks".* must be an object, not 7/],
    ['a', { ...good, blocks: [{ block: 'header', traget: 'x' }] }, /no option "traget" in "blocks"/], ['a', { ...good, blocks: [{ block: '' }] }, /"blocks".*must be a name/],
    ['a', { ...good, blocks: [{ block: 'header', swap: 'morf' }] }, /"blocks".*no page can swap by "morf"/],
    ['a', { ...good, blocks: ['header', { block: 'total', target: 'header' }] }, /two blocks to the target "header"/],
    ['a', { ...good, derive: ['x'] }, /"derive" .* must be an object of lists of paths, not an array/], ['a', { ...good, derive: { a: 'b' } }, /"a" must be a list/],
    ['a', { ...good, derive: new Map([['a', ['b']]]) }, /"derive" .* must be an object of lists/], ['a', { ...good, reads: Promise.reject(new Error('not awaited')) }, /"reads" .* must be an object of lists/],
    ['a', { ...good, derive: { 'a b': ['b'] } }, /"derive" .* made of paths/], ['a', { ...good, derive: { a: ['b..c'] } }, /"derive" .* made of paths/],
    ['a', { ...good, reads: { header: [7] } }, /"reads" .* made of paths, .* not 7/], ['a', { ...good, reads: null }, /"reads"/],
    ['a', { ...good, blocks: ['header'], reads: { total: ['clock'] } }, /"reads" .* names the block "total", which is not in "blocks"/],
    ['a', { ...good, delay: -1 }, /"delay" of app\.liveView\('a'\) must be a whole number from 0/], ['ticket', good, /there is a live view "ticket" already/]
  ]
  for (const [name, options, message] of cases) t.throws(() => app.liveView(name, options), { code: 'FST_CHIRP_OPTION', message }, String(message))
  t.equal(app.liveView('ticket'), view)
  t.equal(view.name, 'ticket')
})

t.test('bad keys and paths', async t => {
  const { app, view } = await buildTickets(t)
  for (const key of ['', undefined, null, 1.5, {}, 'x'.repeat(513), '\ud800']) {
    await t.rejects(view.changed(key), { code: 'FST_CHIRP_OPTION', message: /view\.changed\(\) needs a key/ })
    await t.rejects(view.recheck(key), { code: 'FST_CHIRP_OPTION' })
    t.throws(() => view.source(key), { code: 'FST_CHIRP_OPTION' })
  }
  for (const paths of ['comments', {}, 7]) await t.rejects(view.changed('7', paths), { code: 'FST_CHIRP_OPTION', message: /takes a list of paths/ })
  for (const path of ['', 'a..b', 'a b', 7, null]) await t.rejects(view.changed('7', [path]), { code: 'FST_CHIRP_OPTION', message: /takes paths/ })
  t.throws(() => view.explain(['a b']), { code: 'FST_CHIRP_OPTION' })
  app.get('/no-view', (request, reply) => reply.live({}, '7'))
  app.get('/no-key', (request, reply) => reply.live(view))
  app.get('/no-option', (request, reply) => reply.live(view, '7', { live: 1 }))
  for (const [path, message] of [['/no-view', /reply\.live\(\) takes a live view/], ['/no-key', /reply\.live\(\) needs a key/], ['/no-option', /no option "live" of reply\.live\(\)/]]) {
    const response = await app.inject(path)
    t.equal(response.statusCode, 500)
    t.match(response.json().message, message)
  }
  await until(() => app.eventStreams.errors > 0)
})

t.test('options of reply.live() are refused at the call, before anything is asked of the view', async t => {
  const { app } = await buildTickets(t)
  let asked = 0
  const view = app.liveView('guarded', { template: 'ticket.html', context: () => ({}), authorize: () => { asked++; return true } })
  const cases = [
    [{ timeout: 'soon' }, /option "timeout" of reply\.live\(\) must be a whole number/], [{ timeout: 0 }, /option "timeout" of reply\.live\(\) must be milliseconds/],
    [{ order: 'any' }, /option "order" of reply\.live\(\) must be 'document'/], [{ await: true }, /option "await" of reply\.live\(\) must be a function/],
    [{ await: Promise.reject(new Error('x')) }, /option "await" of reply\.live\(\)/], [{ block: '' }, /option "block" of reply\.live\(\)/],
    [{ stream: { retri: 5 } }, /there is no option "retri" in "stream" of reply\.live\(\)/], [{ stream: { heartbeat: 5 } }, /option "heartbeat" in "stream" of reply\.live\(\) must be/],
    [{ timout: 5 }, /there is no option "timout" of reply\.live\(\).*Did you mean "timeout"/]
  ]
  for (const [n, [options, message]] of cases.entries()) {
    app.get(`/bad/${n}`, { live: true }, (request, reply) => {
      t.throws(() => reply.live(view, '7', options), { code: 'FST_CHIRP_OPTION', message })
      return 'refused'
    })
  }
  for (const n of cases.keys()) {
    for (const accept of ['text/html', 'text/event-stream']) t.equal((await app.inject({ url: `/bad/${n}`, headers: { accept } })).body, 'refused')
  }
  t.equal(asked, 0)
})

t.test('which blocks follow what, and why', async t => {
  const { view } = await buildTickets(t, {
    view: { derive: { 'ticket.total': ['ticket.lines'], 'ticket.lines': ['stock[].price'] }, reads: { header: ['weather'] } }
  })
  t.same(view.reads('header'), ['clock', 'ticket.title', 'weather'])
  t.throws(() => view.reads('heading'), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', message: /it has "header", "comments", "total"/ })
  const blocks = (...paths) => view.explain(paths).map(({ block }) => block)
  t.same(blocks('ticket.title'), ['header'])
  t.same(blocks('ticket'), ['header', 'total'])
  t.same(blocks('comments[].text'), ['comments'])
  t.same(blocks('comments[3]'), ['comments'])
  t.same(blocks('stock[0].price'), ['total'])
  t.same(blocks('weather.wind'), ['header'])
  t.same(blocks('nothing'), [])
  t.same(view.explain().map(({ target }) => target), ['header', 'comments', 'total'])
  t.match(view.explain(['stock']), [{
    block: 'total',
    target: 'total',
    reasons: [{ change: 'ticket.total', path: 'ticket.total', expression: 'ticket.total', template: 'ticket.html', line: 5 }]
  }])
  t.equal(view.explain(['weather'])[0].reasons[0].expression, undefined)
})

t.test('blocks with targets and swaps, on both generations of htmx', async t => {
  const template = '{{ sse_connect() }}<ul {{ sse_swap("list") }}>{% block comments %}{% for comment in comments %}<li>{{ comment.text }}</li>{% endfor %}{% endblock %}</ul>'
  const { app, view, tickets } = await buildTickets(t, { template, view: { blocks: [{ block: 'comments', target: 'list', swap: 'innerMorph' }] } })
  const page = await Page.load(app, '/tickets/7')
  await page.connect()
  const other = await Object.assign(new Page(app, ''), { address: `${page.address}&htmx=4`, cursor: page.cursor }).connect()
  tickets.get('7').comments.push('<b>')
  await view.changed('7', ['comments'])
  t.match(await page.next(), { event: 'list', data: '<li>a</li><li>&lt;b&gt;</li>' })
  t.match(await other.next(), { event: undefined, data: '<hx-partial hx-target="#list" hx-swap="innerMorph"><li>a</li><li>&lt;b&gt;</li></hx-partial>' })
  await page.close()
  await other.close()
})

t.test('a template without a block to follow, one without the block that is named, and no templates', async t => {
  const { app } = await buildTickets(t, { template: '{% block a %}{% endblock %}', route: false })
  const none = app.liveView('no blocks', { template: 'ticket.html', context: () => ({}) })
  t.throws(() => none.explain(), { code: 'FST_CHIRP_OPTION', message: /live view "no blocks" has no block to send: "ticket\.html" places none/ })
  const wrong = app.liveView('wrong block', { template: 'ticket.html', context: () => ({}), blocks: ['aa'] })
  t.throws(() => wrong.explain(), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', message: /has no block "aa"; it has "a"\./ })
  const reads = app.liveView('wrong reads', { template: 'ticket.html', context: () => ({}), blocks: ['a'], reads: { a: ['x'] } })
  t.same(reads.reads('a'), ['x'])
  const { app: empty } = await buildTickets(t, { template: 'text', route: false, view: { blocks: ['a'] } })
  t.throws(() => empty.liveView('ticket').explain(), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', message: /it has none/ })
  const bare = await buildApp(t)
  const view = bare.liveView('ticket', { template: 'ticket.html', context: () => ({}) })
  t.throws(() => view.reads('a'), { code: 'FST_CHIRP_NO_TEMPLATES' })
})

t.test('in debug a read that the template does not show is told of once, and each message says why it is sent', async t => {
  const env = views({ 'ticket.html': TICKET })
  env.addFilter('ticketFilter', function () { return this.lookup('clock') })
  const lines = []
  const app = await buildApp(t, { templates: env, debug: true }, { logger: { level: 'debug', stream: { write: line => { lines.push(JSON.parse(line)) } } } })
  const ticket = { title: 'a', total: 1, comments: [] }
  const view = app.liveView('ticket', { template: 'ticket.html', context: () => contextOf(ticket), delay: 0 })
  app.get('/', { live: true }, (request, reply) => reply.live(view, 7))
  const page = await Page.load(app, '/')
  await page.connect()
  for (const total of [2, 3]) {
    ticket.total = total
    await view.changed(7, ['ticket.total'])
    await page.take(1)
  }
  const warnings = lines.filter(({ level, msg }) => level === 40 && msg.includes('live view')).map(({ msg }) => msg)
  t.same(warnings, ['clock'].map(path => {
    return `block "total" of live view "ticket" reads "${path}", which its template does not show. Add it to the options of the view: reads: { "total": ["${path}"] }`
  }))
  t.match(lines.find(({ msg }) => msg === 'blocks of a live view were rendered'), { view: 'ticket', key: '7', changed: ['ticket.total'], sent: ['total'], streams: 1 })
  await page.close()
})

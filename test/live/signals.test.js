// Signals: what is set, what pages print, and what streams get.
import t from 'tap'
import { Fragment, merge } from 'fastify-chirp'
import { quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { load } from '../helpers/live.js'
import { buildSignals, follow, shown } from '../helpers/signals.js'

t.test('a page prints the value of now, and its stream brings each later one', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: 0 })
  t.equal(a.value, 0)
  t.equal(a.name, 'a')
  const page = await follow(app)
  t.same(shown(page.body), ['a=0'])
  t.match(page.body, '<span sse-swap="signal:a" hx-target="this" hx-swap="innerHTML" data-signal="a">0</span>')
  t.equal(await page.next(), 'a=0')
  await a.set(42)
  t.equal(a.value, 42)
  t.equal(await page.next(), 'a=42')
  const { body } = await app.inject('/')
  t.same(shown(body), ['a=42'])
  await page.close()
  t.equal((await follow(app)).body, body)
})

t.test('what is set is there at once', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: 0 })
  await app.ready()
  a.set(a.value + 1)
  a.set(a.value + 1)
  t.equal(a.value, 2)
  t.same(shown((await app.inject('/')).body), ['a=2'])
})

t.test('one event for what is set in one tick, and none for what is equal', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: 0 })
  const page = await follow(app)
  await page.take(1)
  a.set(1)
  a.set(2)
  a.set(3)
  t.equal(await page.next(), 'a=3')
  await a.set(3)
  await a.set(4)
  t.equal(await page.next(), 'a=4')
  const zero = app.signal('zero', { initial: 0 })
  t.equal(await page.next(), 'zero=0', 'one that is declared later comes too')
  for (const value of [-0, NaN, NaN, NaN, 0]) await zero.set(value)
  await new Promise(setImmediate)
  await zero.set(-0)
  await new Promise(setImmediate)
  await zero.set(NaN)
  await new Promise(setImmediate)
  await zero.set(NaN)
  await new Promise(setImmediate)
  await zero.set('end')
  const values = []
  while (values.at(-1) !== 'zero=end') values.push(await page.next())
  t.same(values.slice(-3), ['zero=0', 'zero=NaN', 'zero=end'])
})

t.test('equals says what is the same', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: { id: 1, n: 0 }, equals: (before, after) => before.id === after.id, render: ({ id, n }) => `${id}.${n}` })
  const page = await follow(app)
  t.equal(await page.next(), 'a=1.0')
  await a.set({ id: 1, n: 1 })
  t.same(a.value, { id: 1, n: 0 })
  await a.set({ id: 2, n: 1 })
  t.equal(await page.next(), 'a=2.1')
  await a.set(undefined)
  t.equal(await page.next(), 'a=', 'it is not asked about nothing')
})

t.test('equals that fails makes values different', async t => {
  const { app, lines } = await buildSignals(t)
  const a = app.signal('a', { initial: 1, equals () { throw new Error('no') } })
  const b = app.signal('b', { initial: 1, equals: () => Promise.reject(new Error('unheard')) })
  const page = await follow(app)
  await page.take(2)
  await a.set(1)
  t.equal(await page.next(), 'a=1')
  await b.set(1)
  t.equal(await page.next(), 'b=1')
  t.match(lines(), [/the values of "a" could not be compared, and count as different: no/, /"b" could not be compared.*gave a promise/])
  t.equal(app.eventStreams.errors, 2)
})

t.test('text is escaped, in a page and in a stream, and HTML comes from a Fragment', async t => {
  const { app } = await buildSignals(t, { page: '<main {{ sse_connect() }}>{{ signal("text") }}{{ signal("html") }}{{ signal("upper") }}{% block item %} <i>{{ value }}</i> {% endblock %}</main>' })
  app.signal('text', { initial: '<b>"&\'\n\r2' })
  app.signal('html', { initial: '<b>', render: value => new Fragment('page.html', 'item', { value }) })
  app.signal('upper', { initial: 'a<', render: value => value.toUpperCase() })
  const page = await follow(app)
  const values = ['text=&lt;b&gt;&quot;&amp;&#39;\n\n2', 'html=<i>&lt;b&gt;</i>', 'upper=A&lt;']
  t.same(shown(page.body).map(value => value.replace('\r', '\n')), values)
  t.same((await page.take(3)).sort(), [...values].sort())
  t.equal(app.eventStreams.renders, 1, 'rendered once for both')
})

t.test('what values look like', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a')
  await app.ready()
  for (const [value, text] of [
    [undefined, ''], [null, ''], ['', ''], [0, '0'], [-0, '0'], [NaN, 'NaN'], [Infinity, 'Infinity'], [12n, '12'], [true, 'true'],
    [[1, 'a'], '[1,&quot;a&quot;]'], [{ a: '<' }, '{&quot;a&quot;:&quot;&lt;&quot;}'], [new Date(0), '1970-01-01T00:00:00.000Z']
  ]) {
    await a.set(value)
    t.same(shown((await app.inject('/')).body), [`a=${text}`], String(value))
  }
  t.equal(a.value, '1970-01-01T00:00:00.000Z', 'a value is its JSON')
})

t.test('values are copies that nobody changes', async t => {
  const { app } = await buildSignals(t)
  const given = { list: [1] }
  const a = app.signal('a', { initial: given })
  given.list.push(2)
  t.same(a.value, { list: [1] })
  t.throws(() => a.value.list.push(3), TypeError)
  const page = await follow(app)
  await page.take(1)
  await a.set(given)
  t.equal(await page.next(), 'a={&quot;list&quot;:[1,2]}')
  given.list.push(3)
  await a.set(given)
  t.equal(await page.next(), 'a={&quot;list&quot;:[1,2,3]}', 'an object is changed, and set again')
})

t.test('what is no plain data is refused', async t => {
  const { app, lines } = await buildSignals(t)
  const a = app.signal('a', { initial: 1 })
  await app.ready()
  const circle = {}
  circle.circle = circle
  for (const [value, message] of [
    [() => {}, 'a function'], [Symbol('s'), 'a symbol'], [Promise.reject(new Error('unheard')), 'Await it first'], [{ then () {} }, 'Await it first'],
    [circle, 'JSON.stringify refused it'], [{ n: 1n }, 'JSON.stringify refused it'], [{ n: NaN }, 'NaN in "n" would become null'],
    [new Map([[1, 2]]), 'a Map'], [new Fragment('page.html', 'item'), 'render: value => new Fragment'], [Buffer.from('a'), 'bytes']
  ]) {
    await t.rejects(a.set(value), { code: 'FST_CHIRP_VALUE', message: new RegExp(message) }, message)
  }
  t.equal(a.value, 1)
  t.equal(app.eventStreams.errors, 10)
  t.match(lines()[0], /^signal "a" was not set: /)
  t.throws(() => app.signal('b', { initial: new Set([1]) }), { code: 'FST_CHIRP_VALUE' })
  a.set(() => {})
  await quiet(0)
  t.equal(app.eventStreams.errors, 11, 'nobody has to hear of it')
})

t.test('a value that cannot be shown keeps the one before, and in debug there is a box', async t => {
  for (const debug of [false, true]) {
    const { app, lines } = await buildSignals(t, { debug })
    const a = app.signal('a', { initial: 1, render: value => { if (value === 2) throw new Error('<two>'); return value } })
    const page = await follow(app)
    await page.take(1)
    await a.set(2)
    const box = '<div class="chirp-block-error" data-block="a"><strong>Error</strong>: &lt;two&gt;</div>'
    t.equal(await page.next(), debug ? `a=${box}` : 'a=1')
    t.match((await app.inject('/')).body, debug ? box : '>1</span>')
    t.equal(app.eventStreams.errors, 1)
    t.match(lines()[0], debug ? 'the error box of signal "a" was shown instead of its value: <two>' : 'signal "a" shows the value before, because this one was not rendered: <two>')
    await a.set(3)
    t.equal(await page.next(), 'a=3')
  }
})

t.test('what render gives', async t => {
  const { app, lines } = await buildSignals(t)
  const results = [() => {}, Promise.resolve('x'), new Fragment('page.html', 'missing'), new Map([[1, 2]])]
  const a = app.signal('a', { initial: 'first', render: value => typeof value === 'number' ? results[value] : value })
  await app.ready()
  t.same(shown((await app.inject('/')).body), ['a=first'])
  for (const n of results.keys()) {
    await a.set(n)
    t.same(shown((await app.inject('/')).body), ['a=first'])
  }
  t.match(lines().map(line => line.replace(/^.*not rendered: /, '')), [/JSON has no form for a function/, /gave a promise/, /has no block "missing"/, /a Map would arrive as \{\}/])
})

t.test('a block that prints its own signal is an error, and no endless loop', async t => {
  const { app, lines } = await buildSignals(t, { page: '<main {{ sse_connect() }}>{{ signal("a") }}</main>{% block item %}{{ signal("a") }}{% endblock %}' })
  app.signal('a', { initial: 1, render: value => new Fragment('page.html', 'item', { value }) })
  await app.inject('/')
  t.match(lines().join(), 'is shown by a block that prints signal("a") itself')
})

t.test('fragments that are rendered asynchronously are there when a page needs them, and in order', async t => {
  const { app, env } = await buildSignals(t)
  const a = app.signal('a', { initial: 1, render: value => value === 3 ? 'three' : new Fragment('later.html', 'later', { value }) })
  await app.ready()
  const answer = setInterval(env.answer, 5)
  t.teardown(() => clearInterval(answer))
  const page = await follow(app)
  t.same(shown(page.body), ['a=<u>1</u>'])
  t.equal(await page.next(), 'a=<u>1</u>')
  await a.set(2)
  await new Promise(setImmediate)
  await a.set(3)
  await new Promise(setImmediate)
  await a.set(4)
  const values = []
  while (values.at(-1) !== 'a=<u>4</u>') values.push(await page.next())
  const order = ['a=<u>1</u>', 'a=<u>2</u>', 'a=three', 'a=<u>4</u>'].filter(value => values.includes(value))
  t.same([...new Set(values)], order)
})

t.test('what waits for no page shows what was there before', async t => {
  const { app, env } = await buildSignals(t, { templates: { 'alone.html': '{{ signal("a") }}' } })
  const a = app.signal('a', { initial: 1, render: value => new Fragment('later.html', 'later', { value }) })
  app.get('/alone', (request, reply) => reply.page('alone.html'))
  t.same(shown((await app.inject('/alone')).body), ['a='])
  env.answer()
  while (shown((await app.inject('/alone')).body)[0] !== 'a=<u>1</u>') await new Promise(setImmediate)
  await a.set(2)
  t.same(shown((await app.inject('/alone')).body), ['a=<u>1</u>'])
  await a.set(3)
  t.same(shown((await app.inject('/alone')).body), ['a=<u>1</u>'])
  env.answer()
  const values = []
  while (values.at(-1) !== 'a=<u>3</u>') values.push(...shown((await app.inject('/alone')).body))
  t.notOk(values.includes('a=<u>2</u>'), 'and not what is older')
})

t.test('what is set while a block is rendered is rendered after it, once', async t => {
  const { app, env } = await buildSignals(t)
  const a = app.signal('a', { render: value => new Fragment('later.html', 'later', { value }) })
  const page = await follow(app)
  t.equal(await page.next(), 'a=')
  for (const value of [1, 2, 3]) {
    await a.set(value)
    await new Promise(setImmediate)
  }
  t.equal(app.eventStreams.renders, 1)
  env.answer()
  await until(() => env.waiting.length > 0)
  env.answer()
  t.equal(await page.next(), 'a=<u>3</u>')
  t.equal(app.eventStreams.renders, 2)
  await page.close()
})

t.test('a fragment that fails asynchronously', async t => {
  const { app, env, lines } = await buildSignals(t)
  env.addFilter('later', (value, callback) => { setImmediate(() => callback(value === 2 ? new Error('late') : null, value)) }, true)
  const a = app.signal('a', { initial: 1, render: value => new Fragment('later.html', 'later', { value }) })
  const page = await follow(app)
  t.equal(await page.next(), 'a=<u>1</u>')
  await a.set(2)
  t.equal(await page.next(), 'a=<u>1</u>')
  t.match(lines(), [/was not rendered.*late/])
})

t.test('signal_attrs() prints attributes for each htmx, and the variable dialect says which', async t => {
  const { app } = await buildSignals(t, { templates: { 'b.html': '{% block b %}<td {{ signal_attrs("a") }}></td>{{ signal("a") }}{% endblock %}' } })
  app.signal('a', { initial: 1 })
  const html = dialect => app.renderFragment(new Fragment('b.html', 'b', { dialect }))
  const two = 'sse-swap="signal:a" hx-target="this" hx-swap="innerHTML" data-signal="a"'
  t.equal(await html('htmx2'), `<td ${two}></td><span ${two}>1</span>`)
  t.equal(await html('htmx4'), '<td data-signal="a"></td><span data-signal="a">1</span>')
  t.equal(await html('auto'), `<td ${two}></td><span ${two}>1</span>`)
})

t.test('on htmx 4 a value says itself which places it goes to', async t => {
  const { app } = await buildSignals(t)
  app.signal('a.b:c-d', { initial: '<' })
  const page = await follow(app, { path: '/?htmx=4' }).catch(() => {})
  t.equal(page, undefined, 'the page prints a signal that there is not')
  const stream = await new TestClient(app).open('/?lastEventId=&htmx=4')
  t.match(await stream.next(), { data: '<hx-partial hx-target="[data-signal=&#39;a.b:c-d&#39;]" hx-swap="innerHTML">&lt;</hx-partial>' })
})

t.test('templates say what they miss', async t => {
  const { app } = await buildSignals(t, { templates: { 'b.html': '{% block b %}{{ signal(name) }}{% endblock %}' } })
  app.signal('balance')
  const html = name => app.renderFragment(new Fragment('b.html', 'b', { name }))
  await t.rejects(html('balanse'), { code: 'FST_CHIRP_RENDER', message: /asks for "balanse", which is neither a signal nor a derived value\. Did you mean "balance"\?/ })
  await t.rejects(html(1), { message: /signal\("balance"\) takes the name of a signal, not 1/ })
  await t.rejects(html('"><script>'), { message: /neither a signal/ })
})

t.test('the feed in reply.eventStream(), in merge(), and only some of it', async t => {
  const { app } = await buildSignals(t)
  const [a, b] = ['a', 'b'].map(name => app.signal(name, { initial: `${name}0` }))
  const sum = app.derived('sum', [a, 'b'], (a, b) => a + b)
  const news = app.channel('news')
  app.get('/some', (request, reply) => reply.eventStream(app.signals({ only: ['sum', a] })))
  app.get('/merged', { live: true }, (request, reply) => reply.page('page.html', { value: '' }, { live: merge(news, app.signals({ only: [sum] })) }))
  const some = [await new TestClient(app).open('/some'), await new TestClient(app).open('/some')]
  for (const stream of some) t.same([(await stream.next()).data, (await stream.next()).data].sort(), ['a0', 'a0b0'])
  const merged = await load(app, '/merged')
  t.same(shown(merged.html), ['a=a0'])
  const stream = await merged.connect()
  const values = []
  const next = async () => { values.push((await stream.next()).data) }
  await next()
  while (values.at(-1) !== 'a0b0') await next()
  await news.publish('news')
  while (values.at(-1) !== 'news') await next()
  await b.set('b1')
  while (values.at(-1) !== 'a0b1') await next()
  for (const stream of some) t.equal((await stream.next()).data, 'a0b1', 'what is not in the list is left out')
  const { last } = { last: await merge(news, app.signals()).cursor() }
  t.equal(last, await news.cursor(), 'values have no place in a cursor')
  t.equal(app.signals().cursor(), '')
})

t.test('a slow client skips to the newest', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: 0 })
  const { kAttach } = await import('fastify-chirp')
  await app.ready()
  const sent = []
  const outlet = {
    isBlocked: false,
    dialect: { name: 'test', form: () => 'test', encode: ({ data }) => data },
    send: text => { sent.push(text) },
    share: ({ text }) => { sent.push(text) },
    flush () {},
    whenDrained: () => new Promise(resolve => { outlet.drain = resolve }),
    ended () {},
    failed (error) { t.error(error) }
  }
  const attachment = app.signals({ only: ['a'] })[kAttach](outlet, '')
  t.same(sent, ['0'])
  outlet.isBlocked = true
  for (const value of [1, 2, 3]) {
    await a.set(value)
    await new Promise(setImmediate)
  }
  t.same(sent, ['0'])
  outlet.isBlocked = false
  outlet.drain()
  await until(() => sent.length > 1)
  t.same(sent, ['0', '3'])
  attachment.detach()
  attachment.detach()
  await a.set(4)
  await new Promise(setImmediate)
  t.same(sent, ['0', '3'])
})

// reply.page() does not wait for deferred values: each block that reads one follows when it is there.
import t from 'tap'
import { defer } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { until } from '../helpers/app.js'
import { later, pageApp, part, place, read } from '../helpers/deferred.js'

const DASH = `<html><head><title>{{ title }}</title></head><body>
<div>{% block stats %}{% if stats is pending %}<p class="skeleton"></p>{% elif stats is failed %}<p>Not now.</p>{% else %}<b>{{ stats.total }}</b>{% endif %}{% endblock %}</div>
<ul>{% block feed %}{% for item in feed %}<li>{{ item }}</li>{% endfor %}{% endblock %}</ul>
</body></html>`

const shell = (stats, feed) => `<html><head><title>T</title></head><body>
<div>${stats}</div>
<ul>${feed}</ul>
`
const END = '</body></html>'

/** A page of two values that settle when they are told to. */
async function dash (t, options) {
  const stats = later()
  const feed = later()
  const app = await pageApp(t, DASH, () => ({ title: 'T', stats: defer(() => stats.promise), feed: defer(feed.promise) }), options)
  return { app, stats, feed }
}

t.test('the page leaves at once, and each block follows when its value is there, in any order', async t => {
  for (const order of [['stats', 'feed'], ['feed', 'stats']]) {
    const { app, stats, feed } = await dash(t)
    const page = await read(app)
    t.equal(page.status, 200)
    t.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    t.equal(page.headers['x-accel-buffering'], 'no')
    t.equal(page.headers['content-length'], undefined)
    t.equal(await page.next(), shell(place(1, '<p class="skeleton"></p>'), place(2)))
    t.equal(app.eventStreams.partsPending, 2)
    for (const name of order) {
      if (name === 'stats') stats.resolve({ total: 5 })
      else feed.resolve(['<x>', 'y'])
      t.equal((await page.next()).replace(END, ''), name === 'stats' ? part(1, '<b>5</b>') : part(2, '<li>&lt;x&gt;</li><li>y</li>'))
    }
    await page.rest()
    t.equal(app.eventStreams.partsPending, 0)
    t.equal(app.eventStreams.partsFailed, 0)
  }
})

t.test('what is there before the page leaves is no part, and a page without parts is an ordinary one', async t => {
  const app = await pageApp(t, DASH, () => ({ title: 'T', stats: defer(async () => ({ total: 1 })), feed: defer(Promise.resolve([])) }))
  const page = await read(app)
  t.ok(page.headers['content-length'])
  t.equal(await page.rest(), shell('<b>1</b>', '') + END)

  const half = later()
  const other = await pageApp(t, DASH, () => ({ title: 'T', stats: defer({ total: 2 }), feed: defer(half.promise) }))
  const second = await read(other)
  t.equal(await second.next(), shell('<b>2</b>', place(1)))
  half.resolve(['z'])
  t.equal(await second.rest(), part(1, '<li>z</li>') + END)
})

t.test('order: document sends the page from its beginning to its end, without a script', async t => {
  const { app, stats, feed } = await dash(t, { options: { order: 'document' } })
  const page = await read(app)
  t.equal(await page.next(), shell('', '').split('</div>')[0])
  feed.resolve(['x'])
  stats.resolve({ total: 5 })
  t.equal(await page.rest(), `<b>5</b></div>
<ul><li>x</li></ul>
${END}`)
})

t.test('htmx, HEAD, a refresh after a gap, and who the option says, get the whole when all is there', async t => {
  const asked = []
  for (const request of [{ headers: { 'hx-request': 'true' } }, { headers: { 'hx-request': 'true', 'hx-boosted': 'true' } }, { headers: { 'chirp-gap': '1' } }, { headers: { 'user-agent': 'bot' } }, { method: 'HEAD' }]) {
    const { app, stats, feed } = await dash(t, { options: { await: request => { asked.push(request.method); return /bot/.test(request.headers['user-agent']) } } })
    setImmediate(() => {
      stats.resolve({ total: 5 })
      setImmediate(() => feed.resolve(['x']))
    })
    const page = await read(app, request)
    const whole = shell('<b>5</b>', '<li>x</li>') + END
    t.equal(page.headers['content-length'], String(whole.length))
    t.match(page.headers.vary, 'HX-Request')
    t.equal(await page.rest(), request.method === 'HEAD' ? '' : whole)
  }
  t.same(asked, ['GET'], 'it is asked where it matters')
})

t.test('htmx gets the block when its values are there', async t => {
  for (const settle of [stats => stats.resolve({ total: 7 }), stats => stats.reject(new Error('db'))]) {
    const { app, stats, feed } = await dash(t, { options: { block: 'stats' } })
    setImmediate(() => { settle(stats); feed.resolve([]) })
    const page = await read(app, { headers: { 'hx-request': 'true' } })
    t.match(await page.rest(), /^(<b>7<\/b>|<p>Not now.<\/p>)$/)
  }
})

t.test('a shell that fails is a real 500, and so is an option "await" that throws', async t => {
  for (const options of [undefined, { await () { throw new Error('no') } }, { await: async () => { throw new Error('no') } }]) {
    let aborted
    const view = options === undefined ? '{% block a %}{{ x }}{% endblock %}{{ nothing.at.all }}' : '{{ x }}'
    const app = await pageApp(t, `<p>${view}`, () => ({ x: defer(({ signal }) => new Promise(() => { aborted = () => signal.aborted })) }), { options })
    const page = await read(app)
    t.equal(page.status, 500)
    t.ok(aborted?.() ?? true, 'nobody waits for its values any more')
    await page.rest()
  }
})

t.test('a value that fails is the matter of its blocks alone', async t => {
  for (const debug of [true, false]) {
    const { app, stats, feed } = await dash(t, { plugin: { debug } })
    const page = await read(app)
    await page.next()
    stats.reject(new Error('no db'))
    t.equal(await page.next(), part(1, '<p>Not now.</p>'))
    feed.reject(new TypeError('<feed>'))
    t.equal(await page.rest(), part(2, debug ? '<div class="chirp-block-error" data-block="feed"><strong>TypeError</strong>: &lt;feed&gt;</div>' : '') + END)
    t.equal(app.eventStreams.partsFailed, 2)
    const failures = app.log.lines.filter(({ level }) => level === 50)
    t.same(failures.map(({ msg, err, route }) => [msg, err.message, route]), [
      ['the deferred value "stats" failed', 'no db', '/'], ['the deferred value "feed" failed', '<feed>', '/']
    ])
  }
})

t.test('a block that fails is an empty place, or a box in debug', async t => {
  for (const debug of [true, false]) {
    const a = later()
    const app = await pageApp(t, '<p>{% block a %}{% if a is settled %}{{ a.b.c }}{% endif %}{% endblock %}</p>', () => ({ a: defer(a.promise) }), { plugin: { debug } })
    const page = await read(app)
    t.equal(await page.next(), `<p>${place(1)}</p>`)
    a.resolve({})
    const text = await page.rest()
    t.match(text, debug ? part(1, '<div class="chirp-block-error" data-block="a"><strong>UndefinedError</strong>: &#39;a.b&#39; is undefined</div>').split('</div>')[0] : part(1, ''))
    t.equal(app.eventStreams.partsFailed, 1)
    t.equal(app.log.lines.filter(({ level }) => level === 50)[0].msg, 'block "a" of a page failed')
  }
})

t.test('a value that takes too long is failed, its signal aborts, and what comes later is too late', async t => {
  const late = later()
  let signal
  const app = await pageApp(t, DASH, () => ({ title: 'T', stats: defer(context => { signal = context.signal; return late.promise }), feed: defer([]) }), { options: { timeout: 20 } })
  const page = await read(app)
  await page.next()
  t.equal(await page.next(), part(1, '<p>Not now.</p>') + END)
  t.ok(signal.aborted)
  late.reject(new Error('much later'))
  await page.rest()
  const [{ err }] = app.log.lines.filter(({ level }) => level === 50)
  t.equal(err.code, 'FST_CHIRP_DEFER')
  t.match(err.message, '"stats" was not there within 20 ms')
})

t.test('a client that leaves aborts the signal, and nothing is rendered for it', async t => {
  let signal
  const stats = later()
  const app = await pageApp(t, DASH, () => ({ title: 'T', stats: defer(context => { signal = context.signal; return stats.promise }), feed: defer(new Promise(() => {})) }), { options: { timeout: false } })
  const page = await read(app)
  await page.next()
  t.notOk(signal.aborted)
  page.close()
  await until(() => signal.aborted)
  stats.resolve({ total: 1 })
  await until(() => app.eventStreams.partsPending === 0)
  t.equal(app.eventStreams.partsFailed, 0)
})

t.test('an app that closes waits for parts no longer than for streams', async t => {
  const { app } = await dash(t, { plugin: { shutdownGrace: 20 } })
  const page = await read(app)
  await page.next()
  await app.close()
  t.equal(await page.rest(), part(1, '<p>Not now.</p>') + part(2, '') + END)
  t.match(app.log.lines.find(({ level }) => level === 50).err.message, 'was pending when the app closed')
})

t.test('client.page() of the test client gives the page as it is in the end, and what arrived', async t => {
  for (const listen of [false, true]) {
    const { app, stats, feed } = await dash(t)
    const reading = new TestClient(app, { listen }).page('/')
    await until(() => app.eventStreams.partsPending === 2)
    feed.resolve(['x'])
    await until(() => app.eventStreams.partsPending === 1)
    stats.resolve({ total: 5 })
    const { status, html, chunks } = await reading
    t.equal(status, 200)
    t.equal(html, shell('<b>5</b>', '<li>x</li>') + END)
    t.match(chunks[0], 'skeleton')
    t.match(chunks.at(-1), '</html>')
  }
})

// One route as page and stream, in a browser: on both generations of htmx, with and without the client script.
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { buildApp, listen } from '../helpers/app.js'
import { views } from '../helpers/live.js'
import { launch, until } from './browser.js'
import { LOST } from './console.js'
import { opener } from './pages.js'
import { serveHtmx } from './scripts.js'

const browser = await launch()
t.teardown(() => browser.close())

const PAGE = `<!doctype html>
<meta charset="utf-8"><link rel="icon" href="data:,"><script src="/htmx.js"></script><script src="/sse.js"></script>
{% if script %}{{ chirp_client() }}{% endif %}
{% block list %}
<main id="main" {{ sse_connect() }}>
  {{ refresh | safe }}
  <p id="loads">{{ loads }}</p>
  <ol {{ sse_swap("news") }} hx-swap="beforeend">{% for item in items %}{% block item %}<li>{{ item }}</li>{% endblock %}{% endfor %}</ol>
</main>
{% endblock %}`

/** A page of news at /news; `between` runs when its stream is asked for, before it is opened. */
async function build (t, htmx, { script, refresh = '', cursor }) {
  const app = await buildApp(t, { templates: views({ 'page.html': PAGE }), retry: 50, dialect: `htmx${htmx}` })
  const news = app.channel('news')
  const site = { app, items: [], loads: 0, streams: [], between: undefined, cursor }
  site.add = item => {
    site.items.push(item)
    return news.publish(new Fragment('page.html', 'item', { item }, { target: 'news', swap: 'beforeend', id: `item-${site.items.length}` }))
  }
  serveHtmx(app, htmx)
  app.addHook('preHandler', async request => {
    if (request.query.lastEventId === undefined) return
    site.streams.push(request.url)
    const { between } = site
    site.between = undefined
    await between?.()
  })
  app.get('/news', { live: true }, (request, reply) => reply.page('page.html', () => ({
    items: [...site.items], loads: ++site.loads, script, refresh
  }), { live: news, block: 'list', cursor: () => site.cursor?.() }))
  site.url = `http://127.0.0.1:${await listen(app)}/news`
  return site
}

// With the client script htmx hears of a lost connection from it.
const itemsOf = page => page.locator('ol > li').allTextContents()
const shows = (page, items) => until(async () => String(await itemsOf(page)) === String(items), items)

for (const htmx of [2, 4]) {
  for (const script of [false, true]) {
    const name = `htmx ${htmx}, ${script ? 'with' : 'without'} the client script`

    t.test(`${name}: what is published between the page and its stream is seen, once`, async t => {
      const site = await build(t, htmx, { script })
      await site.add('zero')
      site.between = () => site.add('between')
      const page = await opener(t, browser)(`${site.url}?tab=a`, { expected: LOST })
      await shows(page, ['zero', 'between'])
      await site.add('live')
      await shows(page, ['zero', 'between', 'live'])
      t.match(site.streams[0], /^\/news\?tab=a&lastEventId=/)
      site.app.server.closeAllConnections()
      await site.add('after')
      await shows(page, ['zero', 'between', 'live', 'after'])
      t.equal(site.loads, 1)
    })

    // The client script has tests of its own for that.
    if (!script) {
      t.test(`${name}: a page that has a gap again is loaded twice, and stays`, async t => {
        const trigger = htmx === 2 ? 'sse:chirp:gap[!detail.data.includes(\'again\')]' : 'chirp:gap[!detail.data.includes(\'again\')] from:#main'
        const refresh = `<i hx-get="/news" hx-headers='{"Chirp-Gap": "1"}' hx-trigger="${trigger}" hx-target="#main" hx-swap="outerHTML"></i>`
        let wrong = 0
        const site = await build(t, htmx, { script, refresh, cursor: () => `wrong-${++wrong}` })
        await site.add('zero')
        const page = await opener(t, browser)(site.url, { expected: /./ })
        await until(() => site.streams.some(url => url.includes('chirp-gap=1')), 'the second stream')
        await page.locator('#loads', { hasText: '2' }).waitFor()
        site.cursor = undefined
        // The stream of the page that stays goes on.
        await until(() => site.app.eventStreams.events === 2, 'both gaps')
        await site.add('one')
        await until(async () => (await itemsOf(page)).at(-1) === 'one', 'what comes is shown')
        t.equal(site.loads, 2)
      })
    }
  }
}

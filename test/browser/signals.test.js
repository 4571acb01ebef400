// Signals in a browser, on both generations of htmx: every place of a signal follows it, over one connection.
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

// What is around the places says how other things are swapped.
const PAGE = `<!doctype html>
<meta charset="utf-8"><link rel="icon" href="data:,"><script src="/htmx.js"></script><script src="/sse.js"></script>
{% if script %}{{ chirp_client() }}{% endif %}
<main {{ sse_connect() }} hx-target="#elsewhere" hx-swap="beforeend">
<p id="one">{{ signal("balance") }}</p>
<p id="two">{{ signal("balance") }}, {{ signal("twice") }}</p>
<p id="three"><span>{{ signal("load.avg") }}</span></p>
<ul id="four" {{ signal_attrs("load.avg") }}></ul>
<p id="five">{{ signal("note") }}</p>
<div id="elsewhere"></div>
</main>
{% block load %}<li class="{{ value }}">{{ value }}</li>{% endblock %}`

async function build (t, htmx, script) {
  const app = await buildApp(t, { templates: views({ 'page.html': PAGE }), retry: 50, dialect: `htmx${htmx}` })
  const balance = app.signal('balance', { initial: 1 })
  app.derived('twice', [balance], balance => 2 * balance)
  const load = app.signal('load.avg', { initial: 'low', render: value => new Fragment('page.html', 'load', { value }) })
  const note = app.signal('note')
  // Most pages show some of all signals.
  app.signal('elsewhere', { initial: 1 })
  serveHtmx(app, htmx)
  app.get('/', { live: true }, (request, reply) => reply.page('page.html', { script, value: '' }, { live: app.signals() }))
  return { app, balance, load, note, url: `http://127.0.0.1:${await listen(app)}/` }
}

for (const htmx of [2, 4]) {
  for (const script of [false, true]) {
    t.test(`htmx ${htmx}, ${script ? 'with' : 'without'} the client script: one value, many places`, async t => {
      const { app, balance, load, note, url } = await build(t, htmx, script)
      const page = await opener(t, browser)(url, { expected: LOST })
      const html = id => page.locator(id).evaluate(element => element.textContent.trim())
      const shows = async (places, what) => {
        try {
          await until(async () => JSON.stringify(await Promise.all(Object.keys(places).map(html))) === JSON.stringify(Object.values(places)), what)
        } catch {
          t.same(Object.fromEntries(await Promise.all(Object.keys(places).map(async id => [id, await html(id)]))), places, what)
        }
      }
      await until(() => app.eventStreams.open === 1, 'it is connected')
      await shows({ '#one': '1', '#two': '1, 2', '#three': 'low', '#four': 'low', '#five': '', '#elsewhere': '' }, 'the first values')
      await balance.set(5)
      await load.set('high')
      await note.set('<img src=x onerror="document.title = 1"> & "text"')
      await shows({ '#one': '5', '#two': '5, 10', '#three': 'high', '#four': 'high', '#five': '<img src=x onerror="document.title = 1"> & "text"', '#elsewhere': '' }, 'every place')
      t.equal(await page.locator('li.high').count(), 2, 'a fragment is HTML')
      t.equal(await page.locator('img').count(), 0, 'and text is not')
      t.equal(app.eventStreams.open, 1, 'one connection')
      app.server.closeAllConnections()
      await until(() => app.eventStreams.open === 0 || app.eventStreams.total === 2, 'it is cut off')
      await balance.set(6)
      await note.set(undefined)
      await shows({ '#one': '6', '#two': '6, 12', '#five': '' }, 'who comes back gets the newest')
    })
  }
}

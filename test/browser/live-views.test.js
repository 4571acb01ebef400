// Live views in a browser, on both generations of htmx: what somebody types survives what others do.
import t from 'tap'
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
<main {{ sse_connect() }}>
<h1 {{ sse_swap("header") }}>{% block header %}{{ title }}{% endblock %}</h1>
<section {{ sse_swap("list") }}>{% block list %}
  <ul id="items" style="height: 40px; overflow: auto">{% for item in items %}<li id="item-{{ loop.index }}" style="height: 30px">{{ item }}</li>{% endfor %}</ul>
  <textarea id="inside"></textarea>
{% endblock %}</section>
<input id="outside">
</main>`

async function build (t, htmx, script) {
  const app = await buildApp(t, { templates: views({ 'page.html': PAGE }), retry: 50, dialect: `htmx${htmx}` })
  const data = { title: 'one', items: ['a', 'b', 'c', 'd'] }
  const view = app.liveView('list', {
    template: 'page.html',
    context: () => ({ ...data, script }),
    blocks: ['header', { block: 'list', swap: htmx === 4 ? 'innerMorph' : undefined }]
  })
  serveHtmx(app, htmx)
  app.get('/', { live: true }, (request, reply) => reply.live(view, 'all'))
  return { app, data, view, url: `http://127.0.0.1:${await listen(app)}/` }
}

for (const htmx of [2, 4]) {
  for (const script of [false, true]) {
    t.test(`htmx ${htmx}, ${script ? 'with' : 'without'} the client script: two browsers, one list`, async t => {
      const { app, data, view, url } = await build(t, htmx, script)
      const open = opener(t, browser)
      const pages = [await open(url, { expected: LOST }), await open(url, { expected: LOST })]
      await until(() => app.eventStreams.open === 2, 'both are connected')
      const [page] = pages
      await page.locator('#outside').fill('half a sentence')
      if (htmx === 4) {
        await page.locator('#inside').fill('typed text')
        await page.locator('#inside').evaluate(element => {
          element.focus()
          element.setSelectionRange(2, 5)
          document.querySelector('#items').scrollTop = 30
        })
      }
      data.items.push('e')
      data.title = 'two'
      await view.changed('all', ['items', 'title'])
      for (const page of pages) {
        await until(async () => await page.locator('#items > li').count() === 5, 'the list has followed')
        await until(async () => await page.locator('h1').textContent() === 'two', 'and the title')
      }
      t.equal(await page.locator('#outside').inputValue(), 'half a sentence')
      if (htmx === 4) {
        t.same(await page.locator('#inside').evaluate(element => ({
          value: element.value,
          isFocused: document.activeElement === element,
          selection: [element.selectionStart, element.selectionEnd],
          scroll: document.querySelector('#items').scrollTop
        })), { value: 'typed text', isFocused: true, selection: [2, 5], scroll: 30 })
      }
      app.server.closeAllConnections()
      await until(() => app.eventStreams.open === 0 || app.eventStreams.total === 4, 'they are cut off')
      data.title = 'three'
      await view.changed('all', ['title'])
      for (const page of pages) await until(async () => await page.locator('h1').textContent() === 'three', 'what was missed comes with the stream')
      t.equal(await page.locator('#outside').inputValue(), 'half a sentence')
    })
  }
}

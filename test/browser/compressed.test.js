// Compressed streams in Chromium: an EventSource, and the client script, which uses fetch().
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { launch, until } from './browser.js'
import { opener, startPages } from './pages.js'
import { LOST } from './visitors.js'

const browser = await launch()
t.teardown(() => browser.close())

t.test('each event comes at once, also after a heartbeat and a lost connection', async t => {
  const encodings = []
  const { app, url } = await startPages(t, 'htmx2', {
    page: '{{ chirp_client() }}<div {{ sse_connect("/live") }}><ol sse-swap="list" hx-swap="beforeend"></ol></div>',
    source: '<ol></ol>'
  }, {
    compress: true,
    heartbeat: 1000,
    maxAge: 4000,
    routes (app) {
      const news = app.channel('news', { history: 100 })
      app.addHook('onResponse', async (request, reply) => { if (request.url.startsWith('/live')) encodings.push(reply.getHeader('content-encoding')) })
      app.get('/live', { live: true }, (request, reply) => reply.eventStream(news))
    }
  })
  const news = app.channel('news')
  const give = text => news.publish(new Fragment('parts.html', 'item', { text: `${text} ${'the order was sent '.repeat(10)}` }, { target: 'list' }))
  const [script, source] = await Promise.all(['page', 'source'].map(name => opener(t, browser)(`${url}/${name}`, { expected: LOST })))
  await source.evaluate(() => {
    const list = document.querySelector('ol')
    globalThis.source = new globalThis.EventSource('/live')
    globalThis.source.addEventListener('list', ({ data }) => list.insertAdjacentHTML('beforeend', data))
  })
  await until(() => news.size === 2, 'both are connected')
  let count = 0
  const more = async () => {
    await give(++count)
    for (const page of [script, source]) await page.locator('li', { hasText: `${count} the order` }).waitFor()
  }
  for (let n = 0; n < 3; n++) await more()
  const { bytes } = app.eventStreams
  await until(() => app.eventStreams.bytes > bytes, 'a heartbeat comes')
  await more()
  // Once cut, and once ended at their age; each time both come back for the rest.
  for (const end of [() => app.server.closeAllConnections(), () => {}]) {
    const { total } = app.eventStreams
    end()
    await give(++count)
    await until(() => app.eventStreams.total >= total + 2 && news.size === 2, 'both are back')
    await more()
  }
  for (const page of [script, source]) t.equal(await page.locator('li').count(), count, 'nothing is lost or doubled')
  t.ok(encodings.length >= 2)
  t.ok(encodings.every(encoding => encoding === 'gzip'), encodings.join())
})

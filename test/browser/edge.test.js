// Pages of both generations of htmx over HTTP/2 behind nginx, with docs/examples/proxies/nginx.conf, while their app is restarted.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { startEdge } from '../helpers/edge.js'
import { freePort } from '../helpers/port.js'
import { launch, until } from './browser.js'
import { LOST } from './console.js'
import { opener, startPages } from './pages.js'

const LIST = '<div {{ sse_connect("/live") }}><ol id="log" {{ sse_swap("log") }} hx-swap="beforeend"></ol></div>'
const LONG = 60000

t.setTimeout(180000)

t.test('the app is away for a while: all pages go on, nothing is lost, and nothing comes twice', async t => {
  const browser = await launch()
  t.teardown(() => browser.close())
  const items = ['a', 'b']
  const listeners = new Set()
  const add = text => {
    items.push(text)
    for (const wake of listeners) wake()
  }
  // Events outlive the app.
  async function * source ({ lastEventId, signal }) {
    for (let n = lastEventId === '' ? 0 : Number(lastEventId) + 1; !signal.aborted;) {
      if (n < items.length) yield new Fragment('parts.html', 'item', { text: items[n] }, { target: 'log', swap: 'beforeend', id: n++ })
      else {
        await new Promise(resolve => {
          listeners.add(resolve)
          signal.addEventListener('abort', resolve, { once: true })
        })
      }
    }
  }
  const port = await freePort()
  const start = () => startPages(t, 'htmx2', { alone: LIST, script: `{{ chirp_client() }}${LIST}` }, {
    port, shutdownGrace: 0, heartbeat: 1000, routes: app => app.get('/live', { referenced: true }, (request, reply) => reply.eventStream(source))
  })
  const { app } = await start()
  const edge = await startEdge(t, 'nginx', { 3000: port, 3001: port })
  /** How often nginx has answered a stream in the place of the app. */
  const busy = () => readFileSync(join(edge.folder, 'access.log'), 'utf8').split('\n').filter(line => /^\/live 200 .*502/.test(line)).length

  const open = opener(t, browser)
  const pages = {}
  for (const htmx of ['htmx2', 'htmx4']) {
    for (const name of ['alone', 'script']) pages[`${htmx} ${name}`] = await open(`${edge.secureUrl}/${name}?page=${htmx}`, { expected: LOST })
  }
  const show = async what => {
    for (const [title, page] of Object.entries(pages)) {
      const texts = () => page.locator('#log > li').allTextContents()
      await until(async () => (await texts()).length >= items.length, `${title}: ${what}`, LONG)
      t.same(await texts(), items, `${title}: ${what}`)
    }
  }
  await show('the first')
  for (const page of Object.values(pages)) {
    t.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol), 'h2')
  }
  await app.close()
  add('c')
  await until(() => busy() >= 4, 'nginx has told all to come back', LONG)
  await start()
  await show('after the restart')
  add('d')
  await show('and on')
})

// Pages of both generations of htmx behind each proxy of docs/examples/proxies, while their app is restarted.
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { startEdge } from '../helpers/edge.js'
import { freePort } from '../helpers/port.js'
import { launch, until } from './browser.js'
import { LOST } from './console.js'
import { opener, startPages } from './pages.js'

const LIST = '<div {{ sse_connect("/live") }}><ol id="log" {{ sse_swap("log") }} hx-swap="beforeend"></ol></div>'
const LONG = 60000

const BOTH = ['alone', 'script']
// The answer of a proxy whose app is away.
const ERROR = new RegExp(`${LOST.source}|status of 503|Error: 503 for /live`)
// `names`: the pages that live on. What is not told to come back needs the client script.
const KINDS = {
  nginx: { names: BOTH, isSecure: true },
  haproxy: { names: BOTH, isSecure: true },
  caddy: { names: BOTH, isSecure: true },
  apache: { names: ['script'], isSecure: true, expected: ERROR },
  varnish: { names: BOTH },
  lighttpd: { names: ['script'], expected: ERROR }
}

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
  const edges = await Promise.all(Object.entries(KINDS).map(async ([kind, how]) => ({ kind, ...how, ...await startEdge(t, kind, { 3000: port, 3001: port }) })))

  const open = opener(t, browser)
  const pages = {}
  // Pages whose stream was answered, or was not, while the app was away.
  const tried = new Set()
  let isAway = false
  for (const { kind, names, expected = LOST, isSecure, url, secureUrl } of edges) {
    for (const htmx of ['htmx2', 'htmx4']) {
      for (const name of names) {
        const title = `${kind} ${htmx} ${name}`
        const page = pages[title] = await open(`${isSecure ? secureUrl : url}/${name}?page=${htmx}`, { expected })
        const note = request => { if (isAway && request.url().includes('/live')) tried.add(title) }
        page.on('requestfailed', note).on('response', response => { note(response.request()) })
        if (isSecure) t.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol), 'h2')
      }
    }
  }
  const show = async what => {
    for (const [title, page] of Object.entries(pages)) {
      const texts = () => page.locator('#log > li').allTextContents()
      await until(async () => (await texts()).length >= items.length, `${title}: ${what}`, LONG)
      t.same(await texts(), items, `${title}: ${what}`)
    }
  }
  await show('the first')
  await app.close()
  isAway = true
  add('c')
  await until(() => tried.size === Object.keys(pages).length, 'all have tried to come back', LONG)
  isAway = false
  await start()
  await show('after the restart')
  add('d')
  await show('and on')
})

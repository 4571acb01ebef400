// What the client script does after a gap: the element is fetched anew, and nothing is lost.
import t from 'tap'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { connections, frames, gapOnce, logOf, pass, shows, state } from './tabs.js'

await eachHtmx(t, (t, htmx, openPage) => {
  t.test('the server closes and another one takes its port: the element is fetched anew', async t => {
    const first = await startSite(t, { items: ['zero'] })
    const page = await openPage(t, `${first.url}/?htmx=${htmx}&attributes=chirp-refresh`)
    await first.add('one')
    await shows(page, ['zero', 'one'])
    await first.app.close()
    await state(page, 'reconnecting')
    const second = await startSite(t, { port: first.port, items: [...first.items] })
    await second.add('two')
    await shows(page, ['zero', 'one', 'two'])
    await state(page, 'connected')
    await second.add('three')
    await shows(page, ['zero', 'one', 'two', 'three'])
    await connections(second, 1)
    t.same(await logOf(page), [
      'connected live /live', 'disconnected live /live closing', 'connected live /live', 'disconnected live /live gap', 'connected live /live'
    ])
  })

  t.test('a gap without chirp-refresh is left to the page', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown`)
    await site.add('one')
    await shows(page, ['one'])
    t.same(site.requests, ['/live?lastEventId=unknown'])
  })

  t.test('what comes while the element is fetched is neither lost nor there twice', async t => {
    const site = await startSite(t, { items: ['zero'] })
    site.page = { url: '/live?lastEventId=unknown' }
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false })
    let cursor
    await page.route('**/?htmx=*', async (route, request) => {
      if (request.isNavigationRequest()) return route.continue()
      await site.add('one')
      cursor = await site.add('two')
      site.page = { url: `/live?lastEventId=${cursor}` }
      const answer = await route.fetch()
      await site.add('three')
      await route.fulfill({ response: answer })
    })
    await page.goto(`${site.url}/?htmx=${htmx}&attributes=chirp-refresh`)
    await shows(page, ['zero', 'one', 'two', 'three'])
    t.same(site.requests, ['/live?lastEventId=unknown', `/live?lastEventId=${cursor}`])
    t.match(await page.locator('#live').evaluate(element => element.outerHTML), `connect="/live?lastEventId=${cursor}"`)
    await site.add('four')
    await shows(page, ['zero', 'one', 'two', 'three', 'four'])
    site.kill()
    await site.add('five')
    await shows(page, ['zero', 'one', 'two', 'three', 'four', 'five'])
    await connections(site, 1)
    // The address of the page is not where the stream is by now.
    await page.evaluate(() => {
      document.getElementById('live').title = 'another attribute'
      window.htmx.process(document.getElementById('live'))
    })
    await site.add('six')
    await shows(page, ['zero', 'one', 'two', 'three', 'four', 'five', 'six'])
    t.equal(site.requests.length, 3)
  })

  t.test('a refusal is the end for what is fetched after a gap too', async t => {
    const setup = ({ app }) => app.get('/refused', (request, reply) => reply.code(401).send('Who are you?'))
    const site = await startSite(t, { setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh="/refused"`, { isOpen: false })
    await state(page, 'closed')
    t.equal((await logOf(page)).at(-2), 'disconnected live /live?lastEventId=unknown closed 401')
  })

  t.test('the server hears that the page is fetched for a gap, and its stream that it was', async t => {
    let header
    const setup = site => site.app.addHook('onRequest', async request => {
      if (!request.url.startsWith('/?')) return
      header = request.headers['chirp-gap']
      site.page = { url: header ? '/live?a=b+c&chirp-gap=1&lastEventId=' : '/live?a&lastEventId=unknown' }
    })
    const site = await startSite(t, { setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh`, { isOpen: false })
    await until(() => site.requests.length === 2, 'fetched')
    t.equal(header, '1')
    const id = await site.add('one')
    await shows(page, ['one'])
    site.kill()
    await until(() => site.requests.length === 3, 'back')
    t.same(site.requests, ['/live?a&lastEventId=unknown', '/live?a=b+c&chirp-gap=1&lastEventId=', `/live?a=b+c&lastEventId=${id}`])
  })

  t.test('spread: not all pages at once, whatever the data is', async t => {
    const site = await startSite(t, { items: ['zero'] })
    for (const [data, milliseconds] of [['{"spread":20000}', 10000], ['{"spread":"soon"}', 250], ['null', 250], ['{', 250]]) {
      site.parts = 0
      gapOnce(site, data)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, {
        isOpen: false,
        clock: true,
        prepare: () => {
          Math.random = () => 0.5
          window.times = []
          for (const name of ['chirp:connected', 'chirp:disconnected']) document.addEventListener(name, () => window.times.push(Date.now()))
        }
      })
      await until(async () => {
        await pass(page, 1000)
        return (await page.evaluate(() => window.times.length)) === 3
      }, 'fetched', 30000)
      t.equal(site.parts, 1)
      const [, lost, back] = await page.evaluate(() => window.times)
      t.ok(back - lost >= milliseconds, `${data}: ${back - lost} ms`)
    }
  })

  t.test('two elements that have a gap fetch the page once', async t => {
    let pages = 0
    const main = id => `<main id="${id}" hx-ext="sse" ${htmx === 2 ? 'sse-' : 'hx-sse:'}connect="/${id}" chirp-refresh hx-swap="none"><p>${id} ${pages}</p></main>`
    const setup = ({ app }) => app.get('/two', (request, reply) => {
      pages++
      const scripts = (htmx === 2 ? ['/htmx2.js', '/sse2.js'] : ['/htmx4.js', '/sse4.js']).concat('/_chirp/client.js')
      return reply.type('text/html').send(`<html><head>${scripts.map(src => `<script src="${src}"></script>`).join('')}</head><body>${main('live')}${main('other')}</body></html>`)
    })
    const site = await startSite(t, { setup })
    site.answer = (request, reply) => {
      if (site.requests.length === 2) site.answer = undefined
      return frames('event: chirp:gap\nid: 1\ndata: {"spread":2000}\n\n', { ends: false })(reply)
    }
    const page = await openPage(t, `${site.url}/two`, { isOpen: false, prepare: () => { Math.random = () => 0.9 } })
    await page.locator('#live', { hasText: 'live 2' }).waitFor()
    await page.locator('#other', { hasText: 'other 2' }).waitFor()
    await connections(site, 2)
    t.equal(pages, 2)
  })
})

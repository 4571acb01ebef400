// That the client script, and a page that uses it, never load in a loop after a gap.
import t from 'tap'
import { ENGINE, until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { ageOf, answerWith, consoleOf, frames, GAP, gapOnce, listOf, logOf, pass, shows, state } from './tabs.js'

await eachHtmx(t, (t, htmx, openPage) => {
  t.test('a gap right after the element was fetched is as good as it gets, one after that is not', async t => {
    const site = await startSite(t, { items: ['zero'] })
    const responses = []
    answerWith(site, reply => {
      responses.push(reply.raw)
      return frames(GAP, { ends: false })(reply)
    })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, { isOpen: false, clock: true })
    await page.clock.runFor(1000)
    await until(() => site.parts === 1 && responses.length === 2, 'fetched')
    responses[1].write(GAP)
    await page.locator('[data-sse-stale]').waitFor({ state: 'attached' })
    t.equal((await logOf(page)).at(-1), 'stale live /live')
    responses[1].write('event: tick\ndata: x\n\n')
    responses[1].write(GAP)
    await state(page, 'reconnecting')
    const { parts } = site
    t.ok(parts === 1 || await ageOf(page) > 10, 'two in ten seconds, with the page itself')
    await pass(page, 12000)
    await until(() => site.parts === 2 && responses.length === 3, 'fetched again')
    t.same(await listOf(page), ['zero'])
  })

  t.test('what cannot be fetched is tried again, and the console says what is wrong', async t => {
    let failed = 0
    let fails = true
    const setup = ({ app }) => app.get('/failing', (request, reply) => {
      if (!fails) return reply.redirect('/part')
      failed++
      return reply.code(503).type('text/html').send('<main id="live">Service Unavailable</main>')
    })
    const site = await startSite(t, { items: ['zero'], setup })
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false, clock: true })
    const messages = consoleOf(page)
    await page.goto(`${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh="/failing"`)
    await until(async () => {
      await pass(page, 1000)
      return failed > 2
    }, 'three times')
    const seconds = await ageOf(page)
    t.ok(seconds >= 10, `two in ten seconds, with the page itself: three were not fetched in ${seconds}`)
    // Firefox says no more of an error to those who listen.
    t.ok(messages.some(text => text.startsWith(ENGINE === 'firefox' ? 'Error' : 'Error: 503 for chirp-refresh: no #live')))
    await state(page, 'reconnecting')
    fails = false
    await pass(page, 30000)
    await state(page, 'connected')
    await until(() => site.app.eventStreams.open === 1, 'one stream')
    t.equal(site.parts, 1)
    t.same(await listOf(page), ['zero'])
  })

  t.test('a gap on each connection: the element is fetched once', async t => {
    const site = await startSite(t, { items: ['zero'] })
    answerWith(site, frames(GAP))
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, { isOpen: false, clock: true })
    await pass(page, 25000)
    t.equal(site.parts, 1)
    t.ok(site.requests.length > 3, 'it has been there')
    t.equal(await page.locator('[data-sse-stale]').count(), 1)
    // Whatever it was is over, and a gap is worth a try again.
    site.answer = undefined
    await pass(page, 3000)
    await state(page, 'connected')
    await site.add('one')
    await until(async () => (await listOf(page)).at(-1) === 'one', 'one')
    gapOnce(site)
    site.kill()
    await pass(page, 3000)
    await until(() => site.parts === 2, 'fetched again')
    await page.locator('#live:not([data-sse-stale])').waitFor({ state: 'attached' })
  })

  t.test('a server that starts again every second: at most two loads in ten seconds', async t => {
    const setup = site => site.app.addHook('onRequest', async request => { if (request.url.startsWith('/?')) pages++ })
    let pages = 0
    const site = await startSite(t, { items: ['zero'], setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh`, { clock: true })
    for (let count = 0; count < 22; count++) {
      gapOnce(site)
      site.kill()
      await pass(page, 600)
      site.news.publish('alive')
      await pass(page, 400)
    }
    const seconds = await ageOf(page)
    t.ok(pages >= 3 && pages <= 2 * Math.ceil(seconds / 10), `${pages} in ${seconds} seconds`)
  })

  t.test('a gap that comes again, as the server says, is left to the page', async t => {
    const site = await startSite(t, { items: ['zero'] })
    answerWith(site, frames('event: chirp:gap\nid: 1\ndata: {"again":true}\n\nevent: chirp:gap\ndata: {"again":true}\n\n', { ends: false }))
    for (const attributes of ['chirp-refresh="/part"', '']) {
      const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=${attributes}`, { isOpen: false, clock: true })
      await page.locator('[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
      await pass(page, 2000)
      t.same(await logOf(page), ['connected live /live', 'stale live /live'])
      t.equal(site.parts, 0)
    }
  })

  t.test('a page that reloads itself for a gap does so once in ten seconds', async t => {
    let pages = 0
    const setup = site => site.app.addHook('onRequest', async request => { if (request.url.startsWith('/?')) pages++ })
    const site = await startSite(t, { setup })
    site.answer = (request, reply) => frames(GAP, { ends: false })(reply)
    const attributes = htmx === 2 ? '&attributes=hx-trigger="sse:chirp:gap"' : ''
    const page = await openPage(t, `${site.url}/?htmx=${htmx}${attributes}`, {
      isOpen: false,
      isAlone: true,
      prepare: () => { for (const name of ['chirp:gap', 'sse:chirp:gap']) document.addEventListener(name, () => window.location.reload()) }
    })
    await page.locator('[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
    t.equal(pages, 2)
  })

  t.test('a page that says the wrong cursor is loaded and fetched twice, and not again', async t => {
    let pages = 0
    const setup = site => site.app.addHook('onRequest', async request => {
      if (request.url.startsWith('/?')) site.page = { url: `/live?lastEventId=wrong-${++pages}` }
    })
    const site = await startSite(t, { items: ['zero'], setup })
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false, clock: true })
    const messages = consoleOf(page)
    await page.goto(`${site.url}/?htmx=${htmx}&attributes=chirp-refresh`)
    await page.clock.runFor(1000)
    await until(() => pages === 2, 'fetched')
    await page.locator('#live[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
    await pass(page, 13000)
    t.equal(pages, 2)
    t.same(messages.filter(text => text.startsWith('chirp:')), ['chirp: #live has a gap again'])
    await site.add('one')
    await shows(page, ['zero', 'one'])
    gapOnce(site)
    site.kill()
    await pass(page, 2000)
    await until(() => pages === 3, 'fetched again')
    t.equal(await page.locator('[data-sse-stale][data-sse-state=reconnecting]').count(), 0)
  })
})

// What the client script does after a gap, and that it never does so in a loop.
import { until } from './browser.js'
import { startSite } from './site.js'
import { answerWith, connections, consoleOf, frames, listOf, logOf, pass, shows, state } from './tabs.js'

const GAP = 'event: chirp:gap\nid: 1\ndata: {}\n\n'

/** Adds the cases of one generation of htmx. */
export function addGapCases (t, htmx, openPage) {
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
  })

  t.test('a gap right after the element was fetched is as good as it gets, one after that is not', async t => {
    const site = await startSite(t, { items: ['zero'] })
    const gap = 'event: chirp:gap\nid: 1\ndata: {}\n\n'
    const responses = []
    answerWith(site, reply => {
      responses.push(reply.raw)
      return frames(gap, { ends: false })(reply)
    })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, { isOpen: false, clock: true })
    await until(() => site.parts === 1 && responses.length === 2, 'fetched')
    responses[1].write(gap)
    await page.locator('[data-sse-stale]').waitFor({ state: 'attached' })
    responses[1].write('event: tick\ndata: x\n\n')
    responses[1].write(gap)
    await state(page, 'reconnecting')
    t.equal(site.parts, 1, 'once')
    await pass(page, 12000)
    await until(() => site.parts === 2 && responses.length === 3, 'fetched again')
    t.same(await listOf(page), ['zero'])
  })

  t.test('what cannot be fetched is tried again, and the console says what is wrong', async t => {
    const site = await startSite(t, { items: ['zero'] })
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false })
    const messages = []
    page.on('console', message => messages.push(message.text()))
    await page.route('**/part', route => route.fulfill({ status: 503, body: 'Service Unavailable' }))
    await page.goto(`${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh="/part"`)
    await until(() => messages.some(text => text.startsWith('Error: 503 for chirp-refresh: no #live')), 'an error')
    await state(page, 'reconnecting')
    await page.unroute('**/part')
    await state(page, 'connected')
    await until(() => site.app.eventStreams.open === 1, 'one stream')
    t.equal(site.parts, 1)
    t.same(await listOf(page), ['zero'])
  })

  t.test('a refusal is the end for what is fetched after a gap too', async t => {
    const setup = ({ app }) => app.get('/refused', (request, reply) => reply.code(401).send('Who are you?'))
    const site = await startSite(t, { setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh="/refused"`, { isOpen: false })
    await state(page, 'closed')
    t.equal((await logOf(page)).at(-1), 'disconnected live /live?lastEventId=unknown closed 401')
  })

  t.test('a gap on each connection: the element is fetched once in ten seconds', async t => {
    const site = await startSite(t, { items: ['zero'] })
    answerWith(site, frames(GAP))
    const start = Date.now()
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, { isOpen: false, clock: true })
    await until(() => site.parts === 1, 'fetched')
    await pass(page, 21000)
    // The page's clock goes on by itself too.
    const seconds = (await page.evaluate(() => Date.now()) - start) / 1000
    t.ok(site.parts >= 2 && site.parts <= 1 + seconds / 10, `fetched ${site.parts} times in ${seconds} seconds`)
    // Whatever it was is over.
    site.answer = undefined
    await pass(page, 12000)
    await state(page, 'connected')
    await site.add('one')
    await until(async () => (await listOf(page)).at(-1) === 'one', 'one')
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
    await until(() => pages === 2, 'fetched')
    await page.locator('#live[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
    await pass(page, 20000)
    t.equal(pages, 2)
    t.same(messages.filter(text => text.startsWith('chirp-refresh')), ['chirp-refresh: #live has a gap again'])
    await site.add('one')
    await shows(page, ['zero', 'one'])
    site.answer = (request, reply) => {
      site.answer = undefined
      return frames(GAP)(reply)
    }
    site.kill()
    await pass(page, 1000)
    await until(() => pages === 3, 'fetched again')
    t.equal(await page.locator('[data-sse-stale][data-sse-state=reconnecting]').count(), 0)
  })
}

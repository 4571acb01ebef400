// The client script in a real browser, on both generations of htmx: nothing is
// lost, nothing comes twice, and nothing stays open, whatever happens.
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { launch, until } from './browser.js'
import { addOutsideCase, addRetryCase, pass } from './client-cases.js'
import { ScriptCoverage } from './coverage.js'
import { startSite } from './site.js'
import { answerWith, connections, frames, hide, listOf, logOf, openTab, show, shows, state } from './tabs.js'

const browser = await launch()
const tabs = await browser.newContext()
const coverage = new ScriptCoverage('/_chirp/client.js')
t.teardown(() => browser.close())

const openPage = (t, url, options) => openTab(t, { tabs, coverage }, url, options)

for (const htmx of [2, 4]) {
  t.test(`htmx ${htmx}`, async t => {
    t.test('the element says how its stream is', async t => {
      const site = await startSite(t)
      let open
      const gate = new Promise(resolve => { open = resolve })
      const asked = answerWith(site, async reply => {
        await gate
        return reply.eventStream(site.news)
      })
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false })
      await asked
      await state(page, 'connecting')
      t.same(await logOf(page), [])
      open()
      await state(page, 'connected')
      t.same(await logOf(page), ['connected live /live'])
      await site.add('one')
      await shows(page, ['one'])
      t.same(site.requests, ['/live'])
    })

    t.test('a connection that is cut goes on where it was', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      const id = await site.add('one')
      await shows(page, ['one'])
      site.kill()
      await site.add('two')
      await shows(page, ['one', 'two'])
      await site.add('three')
      await shows(page, ['one', 'two', 'three'])
      t.same(site.requests, ['/live', `/live?lastEventId=${id}`])
      t.same(await logOf(page), ['connected live /live', 'disconnected live /live lost', 'connected live /live'])
    })

    const failures = {
      'a 503': reply => reply.code(503).send('Service Unavailable'),
      'a 500': reply => reply.code(500).send({ error: 'no' }),
      'an HTML page': reply => reply.type('text/html').send('<p>Who are you?</p>'),
      'an end at once': frames(''),
      'a cut in the head': reply => { reply.raw.destroy() }
    }
    t.test('an answer that is no stream costs nothing, also when no event has come before', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      const items = []
      for (const [name, answer] of Object.entries(failures)) {
        const failed = answerWith(site, answer)
        site.kill()
        await failed
        await state(page, 'reconnecting')
        items.push(name)
        await site.add(name)
        site.answer = undefined
        await shows(page, items)
        await state(page, 'connected')
        await connections(site, 1)
      }
      t.equal(await page.locator('p').count(), 0, 'nothing of the answers is on the page')
    })

    t.test('nor does the first answer of all', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false, clock: true })
      for (const [name, answer] of Object.entries(failures)) {
        const failed = answerWith(site, answer)
        await page.goto(`${site.url}/?htmx=${htmx}`)
        await failed
        await state(page, 'reconnecting')
        site.answer = undefined
        await page.clock.runFor(2500)
        await state(page, 'connected')
        t.equal(await page.locator('p').count(), 0)
        const status = { 'a 503': ' 503', 'a 500': ' 500', 'an HTML page': ' 200' }[name] ?? ''
        t.same(await logOf(page), [`disconnected live /live lost${status}`, 'connected live /live'], name)
      }
    })

    t.test('204 is the end', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      answerWith(site, reply => reply.code(204).send())
      site.kill()
      await state(page, 'closed')
      t.same(await logOf(page), ['connected live /live', 'disconnected live /live lost', 'disconnected live /live closed 204'])
      // Another one would have asked long ago.
      site.answer = undefined
      const other = await openPage(t, `${site.url}/?htmx=${htmx}`)
      site.kill()
      await until(() => site.requests.length === 4, 'the other one is back')
      await state(other, 'connected')
      t.equal(site.app.eventStreams.open, 1)
    })

    t.test('killed in the middle of an event', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      await site.add('one')
      await shows(page, ['one'])
      const half = answerWith(site, (reply, { query }) => {
        frames(`id: ${query.lastEventId}\n\nid: wrong\nevent: news\ndata: <li>ha`, { ends: false })(reply)
        setTimeout(() => reply.raw.destroy(), 50)
        return reply
      })
      site.kill()
      await half
      site.answer = undefined
      await site.add('two')
      await shows(page, ['one', 'two'])
      t.equal(new Set(site.requests).size, 2, 'the id of half an event does not count')
    })

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

    t.test('busy: it waits as long as it was asked to, also when somebody comes back to the page', async t => {
      const site = await startSite(t)
      answerWith(site, frames('event: chirp:busy\nretry: 7000\ndata: \n\n'))
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false, clock: true })
      await state(page, 'reconnecting')
      t.same(await logOf(page), ['disconnected live /live busy'])
      site.answer = undefined
      await hide(page)
      await page.clock.runFor(3000)
      await show(page)
      await page.clock.runFor(3000)
      await state(page, 'reconnecting')
      t.equal(site.requests.length, 1)
      await page.clock.runFor(2000)
      await state(page, 'connected')
      t.same(await logOf(page), ['disconnected live /live busy', 'connected live /live'])
    })

    t.test('a limit of the server itself', async t => {
      const site = await startSite(t, { maxStreams: 1 })
      const first = await openPage(t, `${site.url}/?htmx=${htmx}`)
      const second = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false, clock: true })
      await state(second, 'reconnecting')
      t.same(await logOf(second), ['disconnected live /live busy'])
      await first.goto(`${site.url}/elsewhere`)
      await connections(site, 0)
      await second.clock.runFor(16000)
      await state(second, 'connected')
    })

    t.test('nobody looks for a minute: the stream is closed, and goes on where it was', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { clock: true })
      await hide(page)
      await page.clock.runFor(50000)
      await site.add('one')
      await shows(page, ['one'])
      t.equal(site.app.eventStreams.open, 1, 'not before the minute is over')
      await page.clock.runFor(12000)
      await connections(site, 0)
      await state(page, 'reconnecting')
      await site.add('two')
      await page.clock.runFor(600000)
      t.equal(site.app.eventStreams.total, 1, 'and stays so')
      await show(page)
      await page.clock.runFor(1000)
      await shows(page, ['one', 'two'])
      t.same(await logOf(page), ['connected live /live', 'disconnected live /live hidden', 'connected live /live'])
    })

    t.test('how long may be said, and that it does not matter', async t => {
      const site = await startSite(t)
      const short = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-hidden="2000"`, { clock: true })
      await hide(short)
      await short.clock.runFor(3000)
      await connections(site, 0)
      const never = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-hidden="false"`, { clock: true })
      await hide(never)
      await never.clock.runFor(600000)
      await site.add('one')
      await shows(never, ['one'])
    })

    t.test('back and forward, eight times: nothing hangs, one stream is left, nothing is lost', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      const items = []
      await page.locator('a').click()
      await page.waitForURL('**/elsewhere')
      for (let round = 1; round <= 8; round++) {
        await connections(site, 0)
        items.push(`away ${round}`)
        await site.add(items.at(-1))
        // A page that was kept is not loaded.
        await page.goBack({ waitUntil: 'commit' })
        await shows(page, items)
        await connections(site, 1)
        if (round < 8) await page.goForward({ waitUntil: 'commit' })
      }
      await site.add('back')
      await shows(page, [...items, 'back'])
      t.same((await logOf(page)).slice(0, 3), ['connected live /live', 'disconnected live /live hidden', 'connected live /live'], 'the page was kept')
    })

    t.test('links that are followed eight times leave no stream behind', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      for (let round = 1; round <= 8; round++) {
        await page.evaluate(round => { document.querySelector('a').href = `${window.location.search}&round=${round}` }, round)
        await page.locator('a').click()
        await page.waitForURL(`**round=${round}`)
        await state(page, 'connected')
      }
      await connections(site, 1)
    })

    t.test('an element that goes takes its stream with it', async t => {
      const site = await startSite(t)
      const removals = {
        'by htmx': async page => page.evaluate(htmx => {
          const spec = { swapStyle: 'delete', swapDelay: 0, settleDelay: 0 }
          const target = document.getElementById('live')
          return htmx === 2 ? window.htmx.swap(target, '', spec) : window.htmx.swap({ sourceElement: target, target, text: '', swap: 'delete' })
        }, htmx),
        'by hand': async page => page.locator('#live').evaluate(element => element.remove())
      }
      for (const [name, remove] of Object.entries(removals)) {
        const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
        await remove(page)
        await connections(site, 0)
        t.equal(await page.locator('#live').count(), 0, name)
      }
    })

    t.test('an element that goes while nobody looks', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-hidden="0"`)
      await hide(page)
      await connections(site, 0)
      await page.locator('#live').evaluate(element => new Promise(resolve => {
        element.addEventListener('chirp:disconnected', resolve)
        element.remove()
      }))
      const timers = await page.evaluate(async () => {
        const { setTimeout } = window
        const pause = () => new Promise(resolve => setTimeout(resolve, 700))
        // What was set before may come to its end first.
        await pause()
        let count = 0
        window.setTimeout = (...args) => {
          count++
          return setTimeout(...args)
        }
        await pause()
        return count
      })
      t.equal(timers, 0, 'nothing ticks any more')
      await show(page)
      t.equal(site.app.eventStreams.total, 1)
    })

    t.test('an element that is processed again keeps its one stream', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      await site.add('one')
      await shows(page, ['one'])
      await page.evaluate(() => {
        window.htmx.process(document.body)
        document.getElementById('news').title = 'another attribute'
        window.htmx.process(document.body)
        document.getElementById('live').title = 'another attribute'
        window.htmx.process(document.body)
      })
      await site.add('two')
      await shows(page, ['one', 'two'])
      t.equal(site.app.eventStreams.total, 1)
    })

    t.test('an element that replaces it has the only stream', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      for (const text of ['one', 'two']) await site.add(text)
      await page.evaluate(async ({ htmx, html }) => {
        const target = document.getElementById('live')
        const outer = target.outerHTML
        if (htmx === 2) window.htmx.swap(target, outer, { swapStyle: 'outerHTML', swapDelay: 0, settleDelay: 20 })
        else await window.htmx.swap({ sourceElement: target, target, text: outer, swap: 'outerHTML' })
      }, { htmx })
      await until(() => site.app.eventStreams.total === 2, 'a new stream')
      await connections(site, 1)
      await state(page, 'connected')
      await site.add('three')
      await shows(page, ['one', 'two', 'three'])
    })

    t.test('the end that the page waits for is the end', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      site.news.publish(new SSEEvent({ event: 'bye' }))
      site.add('in the same packet, and too late')
      await state(page, 'closed')
      await connections(site, 0)
      if (htmx === 2) {
        await page.evaluate(() => window.htmx.process(document.body))
        await wait(300)
        t.equal(site.app.eventStreams.total, 1)
      }
      t.same(await listOf(page), [])
      t.same(await logOf(page), ['connected live /live', 'disconnected live /live closed'])
    })

    t.test('two streams on one page', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      await page.evaluate(() => {
        const copy = document.getElementById('live').cloneNode(true)
        copy.id = 'other'
        for (const name of copy.getAttributeNames()) if (name.endsWith('connect')) copy.setAttribute(name, '/other')
        copy.removeAttribute('data-htmx-powered')
        copy.querySelector('ul').id = 'old'
        document.body.append(copy)
        window.htmx.process(copy)
      })
      await state(page, 'connected', 'other')
      await connections(site, 2)
      const failed = answerWith(site, (reply, { url }) => url.startsWith('/other') ? reply.code(503).send() : reply.eventStream(site.news))
      site.kill()
      await failed
      await state(page, 'connected')
      await state(page, 'reconnecting', 'other')
      site.answer = undefined
      await state(page, 'connected', 'other')
      await site.add('one')
      if (htmx === 2) await shows(page, ['one'], 'old')
      await page.evaluate(() => document.getElementById('other').remove())
      await connections(site, 1)
      await state(page, 'connected')
    })

    t.test('two hundred events in a row arrive in order', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
      const items = Array.from({ length: 200 }, (_, number) => `number ${number}`)
      for (const item of items.slice(0, 100)) site.add(item)
      await wait(20)
      site.kill()
      for (const item of items.slice(100)) site.add(item)
      await shows(page, items)
    })

    t.test('a policy that allows nothing but scripts and connections of the site', async t => {
      const setup = ({ app }) => app.addHook('onSend', async (request, reply) => {
        reply.header('content-security-policy', "default-src 'none'; script-src 'self'; connect-src 'self'")
      })
      const site = await startSite(t, { items: ['zero'], setup })
      const violations = []
      const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false })
      page.on('console', message => { if (/Content Security Policy|client\.js/.test(message.text())) violations.push(message.text()) })
      await page.goto(`${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh`)
      await until(async () => site.requests.length === 2, 'the gap is over')
      await state(page, 'connected')
      await site.add('one')
      await shows(page, ['zero', 'one'])
      // htmx 2 would like to add a style for its indicators.
      t.same(violations.filter(text => !/style/.test(text)), [])
    })

    addRetryCase(t, htmx, openPage)

    // htmx 4 itself may start before its extension when both are deferred.
    for (const [name, query] of Object.entries({ 'loaded twice': 'twice=1', ...(htmx === 2 && { 'all of them deferred': 'defer=1' }) })) {
      t.test(name, async t => {
        const site = await startSite(t)
        const page = await openPage(t, `${site.url}/?htmx=${htmx}&${query}`)
        await site.add('one')
        await shows(page, ['one'])
        await page.evaluate(() => window.htmx.process(document.body))
        site.kill()
        await site.add('two')
        await shows(page, ['one', 'two'])
        t.equal(site.app.eventStreams.total, 2)
      })
    }

    t.test('without the script everything works but what only the script can do', async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}&script=`, { isOpen: false })
      await connections(site, 1)
      await site.add('one')
      await shows(page, ['one'])
      site.kill()
      await site.add('two')
      await shows(page, ['one', 'two'])
      t.equal(await page.locator('[data-sse-state]').count(), 0)
    })
  })
}

t.test('htmx 2: what was replaced by an event hears the next one in the same packet', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=2`)
  await page.evaluate(() => {
    document.getElementById('news').outerHTML = '<p id="self" sse-swap="self" hx-swap="outerHTML">0</p>'
    window.htmx.process(document.getElementById('self'))
  })
  for (const number of [1, 2, 3]) site.news.publish(new SSEEvent({ event: 'self', data: `<p id="self" sse-swap="self" hx-swap="outerHTML">${number}</p>` }))
  await page.locator('#self', { hasText: '3' }).waitFor()
})

t.test('htmx 2: an address that changes is another stream', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=2`)
  await page.evaluate(() => {
    document.getElementById('live').setAttribute('sse-connect', '/other')
    window.htmx.process(document.body)
  })
  await until(() => site.requests.length === 2, 'it is asked for')
  await connections(site, 1)
  await site.add('one')
  await shows(page, ['one'])
  t.same(site.requests, ['/live', '/other'])
})

t.test('htmx 2: what others make and listen to is left alone', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=2`, {
    prepare: () => document.addEventListener('htmx:sseOpen', ({ detail: { source } }) => {
      source.addEventListener('tick', ({ data }) => { document.title = data })
    })
  })
  await site.news.publish(new SSEEvent({ event: 'tick', data: 'heard' }))
  await until(async () => await page.title() === 'heard', 'heard')
  t.ok(await page.evaluate(() => {
    const source = window.htmx.createEventSource('/live')
    const isNative = source instanceof window.EventSource
    source.close()
    return isNative
  }))
})

addOutsideCase(t, openPage, { isFirst: false, isAppended: true })
addOutsideCase(t, openPage, { isFirst: true })

t.test('htmx 4: other requests of the element are its own', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=4&attributes=hx-get="/elsewhere" hx-trigger="load, other" hx-target="%23news"`)
  await page.locator('#live').evaluate(element => window.htmx.ajax('GET', '/elsewhere', { source: element, target: '#news', swap: 'innerHTML' }))
  await page.locator('p', { hasText: 'elsewhere' }).waitFor()
  await connections(site, 1)
})

t.test('a redirect to another page is the end from the start', async t => {
  const site = await startSite(t)
  answerWith(site, reply => reply.redirect('/elsewhere'))
  const page = await openPage(t, `${site.url}/?htmx=2`, { isOpen: false })
  await state(page, 'closed')
  t.same(await logOf(page), ['disconnected live /live closed 200'])
})

t.test('a page without htmx is none of its business', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/`, { isOpen: false })
  t.equal(await page.locator('[data-sse-state]').count(), 0)
  t.same(site.requests, [])
})

t.test('a stream is read as the standard says', async t => {
  const cases = JSON.parse(readFileSync(new URL('../fixtures/cases/parse-cases.json', import.meta.url), 'utf8'))
    // A CR at the very end waits for what follows.
    .filter(({ chunks }) => typeof chunks[0] === 'string' && !chunks.at(-1).endsWith('\r'))
  const seen = new Set()
  const setup = ({ app }) => app.get('/case/:number', async (request, reply) => {
    const { number } = request.params
    if (seen.has(number)) return reply.code(204).send()
    seen.add(number)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const chunk of cases[number].chunks) {
      if (chunk !== '') reply.raw.write(Buffer.from(chunk, 'latin1'))
      await wait(2)
    }
    reply.raw.end()
  })
  const site = await startSite(t, { setup })
  const page = await openPage(t, `${site.url}/?htmx=2`)
  const results = await page.evaluate(count => Promise.all(Array.from({ length: count }, async (_, number) => {
    const main = document.createElement('main')
    main.setAttribute('hx-ext', 'sse')
    main.setAttribute('sse-connect', `/case/${number}`)
    const events = []
    main.addEventListener('htmx:sseOpen', ({ detail: { source } }) => {
      for (const name of ['message', 'e', 'greet']) {
        source.addEventListener(name, ({ type, data, lastEventId }) => {
          events.push({ data, ...(type !== 'message' && { event: type }), ...(lastEventId && { lastEventId }) })
        })
      }
    }, { once: true })
    const closed = new Promise(resolve => main.addEventListener('chirp:disconnected', ({ detail }) => { if (detail.reason === 'closed') resolve() }))
    document.body.append(main)
    window.htmx.process(main)
    await closed
    return events
  })), cases.length)
  for (const [number, { name, parsed }] of cases.entries()) t.same(results[number], parsed, name)
})

t.test('every part of the script has run', async t => {
  t.same(coverage.missed(), [])
})

// The client script and the page around it: hidden tabs, links, elements that
// come and go, policies.
import t from 'tap'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { answerWith, connections, hide, logOf, show, shows, state } from './tabs.js'

await eachHtmx(t, (t, htmx, openPage) => {
  t.test('nobody looks for a minute: the stream is closed, and goes on where it was', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { clock: true })
    await hide(page)
    await page.clock.runFor(30000)
    await site.add('one')
    await shows(page, ['one'])
    t.equal(site.app.eventStreams.open, 1, 'not before the minute is over')
    await page.clock.runFor(32000)
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
    await shows(page, ['one', 'two'])
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

  t.test('a policy that allows nothing but scripts and connections of the site', async t => {
    const setup = ({ app }) => app.addHook('onSend', async (request, reply) => {
      reply.header('content-security-policy', "default-src 'none'; script-src 'self'; connect-src 'self'")
    })
    const site = await startSite(t, { items: ['zero'], setup })
    const prepare = () => {
      // What is there before any page has no storage.
      if (window.origin === 'null') return
      // Of the pages before it too.
      window.violations = JSON.parse(window.sessionStorage.getItem('violations') ?? '[]')
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
        window.violations.push(`${effectiveDirective}: ${blockedURI}`)
        window.sessionStorage.setItem('violations', JSON.stringify(window.violations))
      })
    }
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh`, { prepare })
    await until(async () => site.requests.length === 2, 'the gap is over')
    await state(page, 'connected')
    await site.add('one')
    await shows(page, ['zero', 'one'])
    // htmx 2 would like to add a style for its indicators, and a browser an icon.
    const violations = await page.evaluate(() => window.violations)
    t.same(violations.filter(text => !/^style|favicon/.test(text)), [], violations.join(', '))
  })

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

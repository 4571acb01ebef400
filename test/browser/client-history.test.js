// The client script in pages that a browser keeps when they are left: back and forward.
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { ENGINE, until } from './browser.js'
import { eachHtmx } from './client.js'
import { SCRIPTS, startSite } from './site.js'
import { answerWith, connections, listOf, logOf, shows, state } from './tabs.js'

// Firefox loads a page with an open stream anew, and WebKit some of them.
const kept = { skip: ENGINE !== 'chromium' && 'pages need not be kept' }

/** Back, where a page that was kept is not loaded; Firefox tells nobody when it is there. */
const goBack = page => ENGINE === 'firefox' ? page.evaluate(() => { window.history.back() }) : page.goBack({ waitUntil: 'commit' })

await eachHtmx(t, (t, htmx, openPage) => {
  t.test('back to a live page, kept or not: nothing is lost, nothing comes twice', async t => {
    const items = []
    const site = await startSite(t, {
      dialect: `htmx${htmx}`,
      setup (site) {
        site.live = site.app.channel('live', { history: 100 })
        site.app.get('/page', { live: true }, (request, reply) => reply.page('live.html', () => ({
          title: 'Live', scripts: Object.keys(SCRIPTS[htmx]), attributes: 'chirp-refresh', items: [...items]
        }), { live: site.live }))
      }
    })
    const say = text => {
      items.push(text)
      return site.live.publish(new Fragment('page.html', 'item', { text }, { target: 'news', swap: 'beforeend' }))
    }
    const page = await openPage(t, `${site.url}/page`)
    for (const round of [1, 2, 3]) {
      await say(`seen ${round}`)
      await shows(page, items)
      await page.goto(`${site.url}/elsewhere`)
      await until(() => site.app.eventStreams.open === 0, 'the page is left')
      await say(`away ${round}`)
      await goBack(page)
      await until(async () => {
        // A page that goes cannot be asked.
        const shown = await listOf(page).catch(() => [])
        return String(shown) === String(items)
      }, `news shows ${items}`)
      await until(() => site.app.eventStreams.open === 1, 'one stream')
    }
  })

  t.test('back and forward, eight times: nothing hangs, one stream is left, nothing is lost', kept, async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const items = []
    await page.locator('a').click()
    await page.waitForURL('**/elsewhere')
    for (let round = 1; round <= 8; round++) {
      await connections(site, 0)
      items.push(`away ${round}`)
      await site.add(items.at(-1))
      await goBack(page)
      await shows(page, items)
      await connections(site, 1)
      if (round < 8) await page.goForward({ waitUntil: 'commit' })
    }
    await site.add('back')
    await shows(page, [...items, 'back'])
    t.same((await logOf(page)).slice(0, 3), ['connected live /live', 'disconnected live /live hidden', 'connected live /live'], 'the page was kept')
  })

  t.test('a page that was sent elsewhere stays where it is when somebody goes back', kept, async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    answerWith(site, reply => reply.header('HX-Redirect', '/elsewhere').code(401).send())
    site.kill()
    await page.waitForURL('**/elsewhere')
    site.answer = undefined
    await goBack(page)
    await page.locator('#live').waitFor({ state: 'attached' })
    await state(page, 'closed')
    t.same(await logOf(page), [
      'connected live /live', 'disconnected live /live lost', 'disconnected live /live closed 401 /elsewhere', 'refused live /live 401 /elsewhere'
    ], 'the page was kept')
    t.equal(site.app.eventStreams.open, 0)
  })
}, { isWhole: true })

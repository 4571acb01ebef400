// The client script in pages that a browser keeps when they are left: back and forward.
import t from 'tap'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { answerWith, connections, logOf, shows, state } from './tabs.js'

await eachHtmx(t, (t, htmx, openPage) => {
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

  t.test('a page that was sent elsewhere stays where it is when somebody goes back', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    answerWith(site, reply => reply.header('HX-Redirect', '/elsewhere').code(401).send())
    site.kill()
    await page.waitForURL('**/elsewhere')
    site.answer = undefined
    await page.goBack({ waitUntil: 'commit' })
    await page.locator('#live').waitFor({ state: 'attached' })
    await state(page, 'closed')
    t.same(await logOf(page), [
      'connected live /live', 'disconnected live /live lost', 'disconnected live /live closed 401 /elsewhere', 'refused live /live 401 /elsewhere'
    ], 'the page was kept')
    t.equal(site.app.eventStreams.open, 0)
  })
}, { isWhole: true })

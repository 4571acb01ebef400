// The client script in pages that a browser keeps when they are left: back and forward.
import t from 'tap'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { connections, logOf, shows } from './tabs.js'

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
}, { isWhole: true })

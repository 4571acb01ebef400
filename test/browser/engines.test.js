// A look at other browsers, where they are; `npm run test:browsers` runs all tests of the client script in them.
import t from 'tap'
import { ENGINES, findOnPath, launch } from './browser.js'
import { startSite } from './site.js'
import { connections, openTab, shows, state } from './tabs.js'

const { chromium, ...others } = ENGINES

for (const [engine, { packages, programs }] of Object.entries(others)) {
  const skip = findOnPath(programs) === undefined && `it is not here: install ${packages}`
  t.test(`${engine}: a page is live, goes on after a cut, and is fetched anew after a restart`, { skip }, async t => {
    const browser = await launch({ engine })
    t.teardown(() => browser.close())
    const tabs = await browser.newContext()
    const coverage = { async start () {}, async stop () {} }
    for (const htmx of [2, 4]) {
      const site = await startSite(t, { items: ['zero'] })
      const page = await openTab(t, { tabs, coverage }, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh`)
      await site.add('one')
      await shows(page, ['zero', 'one'])
      site.kill()
      await site.add('two')
      await shows(page, ['zero', 'one', 'two'])
      t.equal(new Set(site.requests).size, 2, 'with a cursor')
      await site.app.close()
      await state(page, 'reconnecting')
      const next = await startSite(t, { port: site.port, items: [...site.items] })
      await next.add('three')
      await shows(page, ['zero', 'one', 'two', 'three'])
      await connections(next, 1)
    }
  })
}

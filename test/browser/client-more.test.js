// More of the client script in a real browser: what client.test.js has on the
// other generation of htmx, and elements outside of the page.
import t from 'tap'
import { launch } from './browser.js'
import { addConnectCases } from './client-connect.js'
import { addControlCases } from './client-control.js'
import { addGapCases } from './client-gap.js'
import { addOutsideCase, addPreservedCase } from './client-outside.js'
import { addPageCases } from './client-page.js'
import { ScriptCoverage } from './coverage.js'
import { openTab } from './tabs.js'

const browser = await launch()
const tabs = await browser.newContext()
const coverage = new ScriptCoverage('/_chirp/client.js')
t.teardown(() => browser.close())

const openPage = (t, url, options) => openTab(t, { tabs, coverage }, url, options)

t.test('htmx 2', async t => {
  addPageCases(t, 2, openPage)
  addControlCases(t, 2, openPage)
})
t.test('htmx 4', async t => {
  addConnectCases(t, 4, openPage)
  addGapCases(t, 4, openPage)
})
for (const isFirst of [false, true]) {
  for (const isAppended of [false, true]) addOutsideCase(t, openPage, { isFirst, isAppended })
}
addPreservedCase(t, openPage)

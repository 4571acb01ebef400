// The client script in a real browser: answers that end a stream, gaps that come
// again and again, whose a stream is, and what a big event costs.
import t from 'tap'
import { launch } from './browser.js'
import { addCases, addOutsideCase, addPreservedCase } from './client-cases.js'
import { ScriptCoverage } from './coverage.js'
import { openTab } from './tabs.js'

const browser = await launch()
const tabs = await browser.newContext()
const coverage = new ScriptCoverage('/_chirp/client.js')
t.teardown(() => browser.close())

const openPage = (t, url, options) => openTab(t, { tabs, coverage }, url, options)

for (const htmx of [2, 4]) t.test(`htmx ${htmx}`, async t => addCases(t, htmx, openPage))
for (const isFirst of [false, true]) {
  for (const isAppended of [false, true]) addOutsideCase(t, openPage, { isFirst, isAppended })
}
addPreservedCase(t, openPage)

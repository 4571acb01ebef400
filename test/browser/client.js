// What the tests of the client script have in common: one browser for each
// file, whose pages tell which parts of the script ran.
import { launch } from './browser.js'
import { ScriptCoverage } from './coverage.js'
import { Unsupported } from './engines/webkit.js'
import { openTab } from './tabs.js'

/** Starts the browser of a test file, as `launch()` does. Resolves to a function that opens tabs, as `openTab()` does. */
export async function startBrowser (t, options) {
  const browser = await launch(options)
  const tabs = await browser.newContext()
  const coverage = new ScriptCoverage('/_chirp/client.js')
  t.teardown(async () => {
    coverage.save()
    await browser.close()
  })
  return (t, url, options) => openTab(t, { tabs, coverage }, url, options)
}

/** Runs `addCases(t, htmx, openPage)` for each generation of htmx. */
export async function eachHtmx (t, addCases, options) {
  const openPage = await startBrowser(t, options)
  for (const htmx of [2, 4]) t.test(`htmx ${htmx}`, async t => addCases(skipping(t), htmx, openPage))
}

/** A test whose subtests are skipped when they need what the browser cannot do. */
function skipping (t) {
  const original = t.test.bind(t)
  t.test = (name, ...rest) => original(name, ...rest.slice(0, -1), async t => {
    const test = rest.at(-1)
    try {
      return await test(t)
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error
      t.skip(error.message)
    }
  })
  return t
}

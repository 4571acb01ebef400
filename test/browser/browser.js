// Chromium for the tests, and what they share.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium, firefox } from 'playwright-core'
import { launchWebKit } from './engines/webkit.js'

const WHOLE = ['chromium', 'chromium-browser', 'google-chrome']
// The same engine without the windows around it: a page costs a fifth.
const SHELL = 'chromium-headless-shell'
const FIREFOX = fileURLToPath(new URL('engines/firefox.js', import.meta.url))

/** The browser that the tests run in: npm run test:browsers has others than Chromium. */
export const ENGINE = process.env.TEST_BROWSER ?? 'chromium'

/** What each takes from Debian, and the program that is looked for. */
export const ENGINES = {
  chromium: { packages: 'chromium', programs: WHOLE },
  firefox: { packages: 'firefox-esr', programs: ['firefox-esr'] },
  webkit: { packages: 'webkit2gtk-driver xvfb', programs: ['WebKitWebDriver'] }
}

/**
 * Launches the browser that scripts/install-tools makes sure of, or `engine`. `isWhole`: one that keeps the pages that
 * were left (its back/forward cache), which the shell does not.
 */
export function launch ({ isWhole = false, engine = ENGINE } = {}) {
  if (engine === 'webkit') return launchWebKit()
  if (engine === 'firefox') return firefox.launch({ channel: 'moz-firefox', executablePath: FIREFOX })
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || pathOf(isWhole ? WHOLE : [SHELL, ...WHOLE]),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'
    ],
    // Playwright switches the back/forward cache off, but people have it.
    ignoreDefaultArgs: ['--disable-back-forward-cache']
  })
}

function pathOf (names) {
  const path = findOnPath(names)
  if (path === undefined) throw new Error('There is no Chromium on the PATH. Run scripts/install-tools, or set CHROMIUM_PATH')
  return path
}

/** The first of these programs that there is, or undefined. */
export function findOnPath (names) {
  for (const name of names) {
    const path = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name)).find(isExecutable)
    if (path !== undefined) return path
  }
}

function isExecutable (path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Waits until `check` answers with something true, and gives that back. */
export async function until (check, what, milliseconds = 10000) {
  const deadline = Date.now() + milliseconds
  for (;;) {
    const result = await check()
    if (result) return result
    if (Date.now() > deadline) throw new Error(`Not within ${milliseconds} ms: ${what}`)
    await setTimeout(20)
  }
}

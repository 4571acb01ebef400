// Chromium for the tests, and what they share.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Launches the browser that scripts/install-tools makes sure of. */
export function launch () {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || findOnPath(),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'
    ],
    // Playwright switches the back/forward cache off, but people have it.
    ignoreDefaultArgs: ['--disable-back-forward-cache']
  })
}

function findOnPath () {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = NAMES.map(name => join(folder, name)).find(isExecutable)
    if (path !== undefined) return path
  }
  throw new Error('There is no Chromium on the PATH. Run scripts/install-tools, or set CHROMIUM_PATH')
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

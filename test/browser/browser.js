// Chromium for the tests, and what they share.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { chromium } from 'playwright-core'

const WHOLE = ['chromium', 'chromium-browser', 'google-chrome']
// The same engine without the windows around it: a page costs a fifth.
const SHELL = 'chromium-headless-shell'

/**
 * Launches the browser that scripts/install-tools makes sure of. `isWhole`: one that keeps the pages that were left
 * (its back/forward cache), which the shell does not.
 */
export function launch ({ isWhole = false } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || findOnPath(isWhole ? WHOLE : [SHELL, ...WHOLE]),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'
    ],
    // Playwright switches the back/forward cache off, but people have it.
    ignoreDefaultArgs: ['--disable-back-forward-cache']
  })
}

function findOnPath (names) {
  for (const name of names) {
    const path = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name)).find(isExecutable)
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

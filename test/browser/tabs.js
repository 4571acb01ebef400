// Tabs for the tests of the client script, and what is looked at in them.
import { until } from './browser.js'

/** Opens a tab of `tabs` with `window.log`, the script's events as they bubble. */
export async function openTab (t, { tabs, coverage }, url, { prepare, clock = false, isAlone = false, isOpen = true, waitUntil } = {}) {
  // The clock that a page is given is that of all in its context.
  const context = isAlone ? await tabs.browser().newContext() : tabs
  const page = await context.newPage()
  page.on('pageerror', error => {
    // Firefox calls what a policy forbids an error too: the words before the colon are the name of it, or a part of its message.
    if (!error.stack.startsWith('Content-Security-Policy:')) t.fail(`page error: ${error.stack}`)
  })
  await page.addInitScript(() => {
    window.log = []
    for (const name of ['chirp:connected', 'chirp:disconnected', 'chirp:refused', 'chirp:stale']) {
      document.addEventListener(name, ({ type, target, detail: { url, reason, status, location } }) => {
        window.log.push([type.slice(6), target.id, url, reason, status, location?.replace(window.location.origin, '')].filter(Boolean).join(' '))
      })
    }
  })
  if (prepare !== undefined) await page.addInitScript(prepare)
  if (clock) await page.clock.install()
  await coverage.start(page)
  t.teardown(async () => {
    await coverage.stop(page)
    await page.close()
    if (isAlone) await context.close()
  })
  await page.goto(url, { waitUntil })
  if (isOpen) await state(page, 'connected')
  return page
}

export const state = (page, state, id = 'live') => page.locator(`#${id}[data-sse-state=${state}]`).waitFor({ state: 'attached' })
export const logOf = page => page.evaluate(() => window.log)
export const listOf = (page, id = 'news') => page.locator(`#${id} > li`).allTextContents()
export const shows = (page, items, id) => until(async () => String(await listOf(page, id)) === String(items), `${id ?? 'news'} shows ${items}`)
export const connections = (site, count) => until(() => site.app.eventStreams.open === count && site.news.size === count, `${count} streams are open`)

/** The next answers to streams are this one, until it is undone. Resolves when it was given once. */
export function answerWith (site, answer) {
  return new Promise(resolve => {
    site.answer = (request, reply) => {
      resolve()
      return answer(reply, request)
    }
  })
}

/** An answer of raw frames. */
export const frames = (text, { ends = true } = {}) => reply => {
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
  if (ends) reply.raw.end(text)
  else reply.raw.write(text)
  return reply
}

// What a browser has that thinks that it is hidden.
export const hide = page => page.evaluate(() => {
  Object.defineProperty(document, 'hidden', { value: true, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
})
export const show = page => page.evaluate(() => {
  delete document.hidden
  document.dispatchEvent(new Event('visibilitychange'))
})

/** Lets `milliseconds` pass for a page, and requests be answered meanwhile. */
export async function pass (page, milliseconds) {
  for (let passed = 0; passed < milliseconds; passed += 200) {
    await page.clock.runFor(200)
    await page.evaluate(() => fetch('/favicon.ico'))
  }
}

/** What the console of a page says. */
export function consoleOf (page) {
  const messages = []
  page.on('console', message => messages.push(message.text()))
  return messages
}

/** A gap, with an id. */
export const GAP = 'event: chirp:gap\nid: 1\ndata: {}\n\n'

/** The next stream has a gap, and no other. */
export function gapOnce (site, data = '{}') {
  site.answer = (request, reply) => {
    site.answer = undefined
    return frames(`event: chirp:gap\ndata: ${data}\n\n`, { ends: false })(reply)
  }
}

/** How long a page has been there by its own clock, which goes on by itself too. */
export const ageOf = async page => await page.evaluate(() => performance.now()) / 1000

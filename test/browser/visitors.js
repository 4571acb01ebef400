// People who look at the example app in a real browser, and what they see of its streams.
import t from 'tap'
import { launch } from './browser.js'
import { failOverErrors, LOST as lost } from './console.js'

// By whether they are whole; most files need but one.
const browsers = new Map()
t.teardown(async () => { for (const browser of browsers.values()) await (await browser).close() })

function browserThat (isWhole) {
  if (!browsers.has(isWhole)) browsers.set(isWhole, launch({ isWhole }))
  return browsers.get(isWhole)
}

/** Opens a tab, of a visitor of its own if it gets no `context`, and fails the test over any error in its console that is not `expected`. */
export async function openPage (t, url, { context, expected = /^$/, isOpen = true, ...options } = {}) {
  context ??= await newVisitor(t, options)
  const page = await context.newPage()
  await failOverErrors(t, page, expected)
  await page.goto(url)
  if (isOpen) await light(page, 'connected')
  return page
}

/** `isWhole`: in a browser that keeps the pages that were left. */
export async function newVisitor (t, { isWhole = false, ...options } = {}) {
  const browser = await browserThat(isWhole)
  // Without animations, which a browser without a graphics card draws on the processor that the tests need.
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  t.teardown(() => context.close())
  return context
}

/** What is said about a connection that is lost, or refused by the app. */
export const LOST = new RegExp(`${lost.source}|50[03]`)

/** Runs a test on the page of each generation of htmx. */
export function onBoth (name, test) {
  for (const [generation, path] of [['htmx 2', '/'], ['htmx 4', '/?htmx=4']]) t.test(`${generation}: ${name}`, t => test(t, path))
}

/** Waits until a status light says so. */
export const light = (page, state, stream = 'live') => page.locator(`[data-status=${stream}][data-state=${state}]`).waitFor()

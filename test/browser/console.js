// What the consoles of pages say.

/** Fails the test over an error that nobody caught, and over one in the console that is not `expected`. */
export async function failOverErrors (t, page, expected) {
  page.on('pageerror', error => t.fail(`page error: ${error.message}`))
  page.on('console', message => {
    if (message.type() === 'error' && !expected.test(message.text())) t.fail(`console error: ${message.text()}`)
  })
  // Of an error in its console Firefox tells only that it is one.
  await page.addInitScript(() => {
    const { error: print } = console
    console.error = (...values) => print.apply(console, values.map(value => value instanceof Error ? String(value) : value))
  })
}

/** What browsers, htmx and the client script say about a connection that is lost. */
export const LOST = new RegExp([
  'net::ERR_', 'Failed to fetch', 'network error',
  // Firefox, and WebKit.
  'NetworkError when attempting', 'Error in input stream', 'Load failed', 'connection was lost',
  '\\[object Event\\]', 'htmx:sse:error'
].join('|'))

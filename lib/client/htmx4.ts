// htmx 4: its extension is given one answer that does not end. Behind it the
// stream reconnects, so that the extension never has to do so itself.
import type { RequestContext } from './htmx.js'
import { openStream } from './stream.js'

/** Takes part when htmx 4 makes requests; without it nothing happens. */
export function joinHtmx4 (): void {
  document.addEventListener('htmx:config:request', event => {
    const { ctx } = (event as CustomEvent<{ ctx: RequestContext }>).detail
    const { sourceElement: element, request } = ctx
    // The element may make other requests too.
    if (request.action === element.getAttribute('hx-sse:connect')) ctx.fetch = (action, init) => connect(element, action, init)
  })
}

function connect (element: Element, action: string, init: RequestInit): Response {
  // It would reconnect by itself when somebody looks at the page again.
  ;(htmx.config.sse ??= {}).pauseOnBackground = false
  const life = new AbortController()
  const frames = openStream(element, 'hx-sse:connect', action, init, life)
  const body = new ReadableStream<string>({
    async pull (output) {
      const { value } = await frames.next()
      if (value) output.enqueue(`${value.text}\n\n`)
    },
    cancel () { life.abort() }
  })
  return new Response(body.pipeThrough(new TextEncoderStream()), { headers: { 'Content-Type': 'text/event-stream' } })
}

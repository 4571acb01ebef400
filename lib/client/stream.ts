// One stream of the page: connects, reconnects with its cursor, waits while
// nobody looks, and marks its element. It takes the place of EventSource, which
// keeps three things to itself: ids that come without an event, the status of
// an answer, and the time that the server asks to wait.
import { createCutter, type Frame } from './parse.js'
import { sleep } from './sleep.js'
import type { DisconnectReason, StreamState } from './types.js'

/**
 * All events of the stream of an element, over all connections. Ask for the
 * next one when the one before has been dealt with. `life` ends it for good;
 * `changed` hears why it is disconnected, or that it is connected.
 */
export function openStream (
  element: Element, attribute: string, action: string, init: RequestInit, life: AbortController, changed?: (reason?: DisconnectReason) => void
): AsyncGenerator<Frame, void> {
  let connection: AbortController | undefined
  let state: StreamState
  let reason: DisconnectReason
  // The id that was seen last; '' when the server took it back.
  let cursor: string | undefined
  // Milliseconds that the server asks for: in general, and before the next connection.
  let retry = 1000
  let wait: number | undefined
  let notBefore = 0
  let failures = 0
  // Of an answer that was no stream.
  let status: number | undefined
  // After a gap, where to fetch what the element holds; when that was done last; and, it was for this connection.
  let stale: string | null = null
  let fetched = 0
  let isFresh = false
  let isPaused = false

  async function * connectAgain (): AsyncGenerator<Frame, void> {
    while (!life.signal.aborted) {
      const { signal } = connection = new AbortController()
      reason = 'lost'
      wait = undefined
      try {
        yield * connect(signal)
      } catch (error) {
        if (!signal.aborted) console.error(error)
      }
      if (!signal.aborted) {
        connection!.abort()
        isFresh = false
        // Later each time, and not all pages at once. A server that wants clients at once does not want them when it fails.
        notBefore = Date.now() + (wait ?? (retry || (failures && 1000)) * Math.min(2 ** failures++, 16) * (1 + Math.random()))
        // A gap that comes again and again must not fetch the page again and again.
        if (stale != null) notBefore = Math.max(notBefore, fetched + 10000)
        mark('reconnecting', reason)
        status = undefined
      }
      while (mustWait()) await sleep(100)
    }
  }

  function mustWait (): boolean {
    return isPaused || Date.now() < notBefore
  }

  /** The events of one connection. */
  async function * connect (signal: AbortSignal): AsyncGenerator<Frame, void> {
    if (stale != null) await refresh(stale, signal)
    const address = new URL(action, document.baseURI)
    if (cursor != null) address.searchParams.set('lastEventId', cursor)
    const response = await fetch(address, { cache: 'no-store', ...init, signal })
    if (!/^text\/event-stream/.test(response.headers.get('content-type')!)) refuse(response)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    const cut = createCutter()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (const frame of cut(value)) {
        const { event, data } = frame
        const ours = /^chirp:(.*)/.exec(event!)?.[1]
        const asked = /^\d+$/.test(frame.retry!) ? +frame.retry! : retry
        if (ours === 'busy' || ours === 'closing') {
          reason = ours
          wait = asked
        } else {
          retry = asked
          failures = 0
          mark('connected')
        }
        cursor = frame.id ??= cursor
        if (data != null) yield frame
        // Things happen while an event is dealt with.
        if (signal.aborted) return
        if (ours === 'gap' && element.hasAttribute('chirp-refresh')) {
          if (isFresh) {
            element.setAttribute('data-sse-stale', '')
            console.error(`chirp-refresh: #${element.id} has a gap again`)
          } else {
            stale = element.getAttribute('chirp-refresh')
            reason = ours
            wait = 0
            return
          }
        }
        // An element that was fetched anew and has a gap again is as good as it gets, until something comes.
        if (data && !ours) isFresh = false
      }
    }
  }

  /** Fetches what the element holds, as a browser does, and starts from there if it says where that is. */
  async function refresh (from: string, signal: AbortSignal): Promise<void> {
    const response = await fetch(from || location.href, { cache: 'no-store', signal })
    const page = new DOMParser().parseFromString(await response.text(), 'text/html')
    const part = page.getElementById(element.id)
    if (response.ok) fetched = Date.now()
    if (!part) return refuse(response, `chirp-refresh: no #${element.id}`)
    element.replaceChildren(...part.childNodes)
    for (const child of element.children) {
      htmx.process(child)
      htmx.trigger(child, 'htmx:load')
    }
    const address = part.getAttribute(attribute)
    if (address && address !== element.getAttribute(attribute)) {
      element.setAttribute(attribute, action = address)
      cursor = undefined
    }
    element.removeAttribute('data-sse-stale')
    stale = null
    isFresh = true
  }

  /** Ends all if the next answer would be the same: nobody is there, may come, or is meant to stay on this page. */
  function refuse (response: Response, what = action): never {
    status = response.status
    if ((response.redirected && response.ok) || [204, 401, 403].includes(status)) life.abort()
    throw new Error(`${status} for ${what}`)
  }

  function mark (next: StreamState, reason?: DisconnectReason): void {
    if (next === state || state === 'closed') return
    element.setAttribute('data-sse-state', state = next)
    changed?.(reason)
    element.dispatchEvent(new CustomEvent(`chirp:${reason ? 'dis' : ''}connected`, { bubbles: true, detail: { url: action, reason, status } }))
  }

  function pause (): void {
    isPaused = true
    connection?.abort()
    mark('reconnecting', 'hidden')
  }

  async function watch (): Promise<void> {
    for (let seen = Date.now(); !life.signal.aborted; await sleep(500)) {
      if (!document.hidden) {
        seen = Date.now()
        isPaused = false
      // "false" is no number, and never less.
      } else if (+(element.getAttribute('chirp-hidden') ?? 60000) < Date.now() - seen) pause()
      // htmx tells of elements that it removes itself.
      if (!element.isConnected) life.abort()
    }
  }

  life.signal.onabort = () => {
    isPaused = false
    connection?.abort()
    mark('closed', 'closed')
  }
  // Into the back/forward cache, where it would hold on to its connection.
  addEventListener('pagehide', pause, life)
  element.setAttribute('data-sse-state', 'connecting')
  watch()
  return connectAgain()
}

// One stream of the page: connects, reconnects with its cursor, waits while
// the page is hidden, and marks its element. It takes the place of EventSource, which
// keeps three things to itself: ids that come without an event, the status of
// an answer, and the time that the server asks to wait.
import { delayOf, isReloaded, readGap } from './gap.js'
import { destinationOf, isFinal, leave } from './leave.js'
import { load, mustWaitFor } from './load.js'
import { framesOf, type Frame } from './parse.js'
import { areParts } from './parts.js'
import { watchSilence } from './silence.js'
import { sleep } from './sleep.js'
import type { DisconnectReason, RefusedDetail, StreamState } from './types.js'

/** Why a connection is aborted on which nothing comes. */
const SILENT = 'silent'

/**
 * All events of the stream of an element, over all connections. Ask for the
 * next one when the one before has been dealt with. `life` ends it for good;
 * `changed` hears why it is disconnected, or that it is connected, and the address
 * that the element has by then.
 */
export function openStream (
  element: Element, attribute: string, action: string, init: RequestInit, life: AbortController, changed?: (reason: DisconnectReason | undefined, action: string) => void
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
  // One that was not a stream, and where it leads.
  let answer: Pick<RefusedDetail, 'status' | 'location'> | undefined
  // After a gap, where to fetch what the element holds, which must be newer than that time.
  let source: string | undefined
  let since = 0
  // It was fetched, and no connection has been without a gap since then.
  let isFresh = false
  let isPaused = false
  const silence = watchSilence(action, () => { connection!.abort(SILENT) })

  async function * connectAgain (): AsyncGenerator<Frame, void> {
    // A part that comes later must not undo what an event has brought. The cursor is older than both.
    while (areParts()) await sleep(50)
    while (!life.signal.aborted) {
      const { signal } = connection = new AbortController()
      reason = 'lost'
      wait = undefined
      try {
        yield * connect(signal)
      } catch (error) {
        if (!signal.aborted) console.error(error)
      }
      silence.heard()
      if (!signal.aborted || signal.reason === SILENT) {
        connection!.abort()
        // Later each time, and not all pages at once. A server that wants clients at once does not want them when it fails.
        notBefore = Date.now() + (wait ?? (retry || (failures && 1000)) * Math.min(2 ** failures++, 16) * (1 + Math.random()))
        mark('reconnecting', reason)
        answer = undefined
      }
      while (mustWait()) await sleep(100)
    }
  }

  function mustWait (): boolean {
    return isPaused || Date.now() < notBefore || (source != null && mustWaitFor(source, since))
  }

  /** The events of one connection. */
  async function * connect (signal: AbortSignal): AsyncGenerator<Frame, void> {
    if (source != null) await refresh(source)
    const address = new URL(action, document.baseURI)
    if (cursor != null) address.searchParams.set('lastEventId', cursor)
    // With it the server takes each gap for one that comes again.
    if (!isFresh && address.searchParams.has('chirp-gap')) address.searchParams.delete('chirp-gap')
    silence.wait(true)
    const response = await fetch(address, { cache: 'no-store', ...init, signal })
    if (!/^text\/event-stream/.test(response.headers.get('content-type')!)) refuse(response)
    silence.answered(response)
    // Not known before something comes.
    let hasGap: boolean | undefined
    try {
      for await (const frame of framesOf(response, silence)) {
        const { event, data } = frame
        const ours = /^chirp:(.*)/.exec(event!)?.[1]
        const asked = /^\d+$/.test(frame.retry!) ? +frame.retry! : retry
        if (ours === 'busy' || ours === 'closing') {
          reason = ours
          wait = asked
        } else {
          retry = asked
          failures = 0
          hasGap ??= false
          mark('connected')
        }
        cursor = frame.id ??= cursor
        const gap = ours === 'gap' && readGap(data)
        const from = element.getAttribute('chirp-refresh')
        if (gap) {
          hasGap = true
          if (gap.again || (from == null ? isReloaded() : isFresh)) {
            leaveStale()
            continue
          }
        }
        if (data != null) yield frame
        // Things happen while an event is dealt with.
        if (signal.aborted) return
        if (ours === 'closed' || ours === 'gone') return life.abort()
        if (gap && from != null) {
          source = from || location.href
          since = performance.now()
          reason = 'gap'
          wait = delayOf(gap)
          return
        }
        // An element that was fetched and has a gap again stays as it is, until an event arrives.
        if (data && !ours) isFresh = false
      }
    } finally {
      if (hasGap === false) isFresh = false
    }
  }

  function leaveStale (): void {
    if (element.hasAttribute('data-sse-stale')) return
    element.setAttribute('data-sse-stale', '')
    console.error(`chirp: #${element.id} has a gap again`)
    tell('stale')
  }

  /** Fetches what the element holds, and starts from there if it says where that is. */
  async function refresh (from: string): Promise<void> {
    const loading = load(from, since)
    // If that fails, it takes another.
    since = performance.now()
    const { response, content } = await loading
    const part = content.getElementById(element.id)
    if (!response.ok || !part) return refuse(response, `chirp-refresh: no #${element.id}`)
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
    source = undefined
    isFresh = true
  }

  function refuse (response: Response, what = action): never {
    const { status } = response
    answer = { status }
    if (isFinal(response)) {
      const location = answer.location = destinationOf(response)
      life.abort()
      if ((location || status !== 204) && tell('refused', answer) && location) leave(location)
    }
    throw new Error(`${status} for ${what}`)
  }

  /** Whether no listener called `preventDefault()`. */
  function tell (what: string, detail?: object): boolean {
    return element.dispatchEvent(new CustomEvent(`chirp:${what}`, { bubbles: true, cancelable: true, detail: { url: action, ...detail } }))
  }

  function mark (next: StreamState, reason?: DisconnectReason): void {
    if (next === state || state === 'closed') return
    element.setAttribute('data-sse-state', state = next)
    changed?.(reason, action)
    tell(reason ? 'disconnected' : 'connected', { reason, ...answer })
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
      // "false" is not a number, and never less.
      } else if (+(element.getAttribute('chirp-hidden') ?? 60000) < Date.now() - seen) pause()
      silence.look()
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

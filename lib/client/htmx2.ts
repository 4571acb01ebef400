// htmx 2: its extension is given sources of ours instead of EventSources. They
// last as long as their element, so that it never has to make a second one.
import { sleep } from './sleep.js'
import { openStream } from './stream.js'

/** What the extension knows of an EventSource. */
interface Source extends EventTarget {
  onopen?: (event: Event) => void
  onerror?: (event: Event) => void
  close (): void
  /** Starts, unless it has this address already. */
  open (url: string): void
}

const sources = new WeakMap<Element, Source>()
/** Ends what an element listens to. */
const listening = new WeakMap<Element, AbortController>()
/** The element that htmx processes at this moment. */
let current: Element | undefined

/** Takes part when htmx 2 processes elements; without it nothing happens. */
export function joinHtmx2 (): void {
  // Before the extension hears of it.
  document.addEventListener('htmx:afterProcessNode', event => {
    if (!current) setTimeout(() => { current = undefined })
    current = (event as CustomEvent<{ elt: Element }>).detail.elt
    // What it listened to when it was processed before, it would now hear twice.
    listening.get(current)?.abort()
    listening.set(current, new AbortController())
    htmx.createEventSource = createSource
  }, true)
}

function createSource (url: string): EventTarget {
  // Somebody else asks.
  if (!current) return new EventSource(url, { withCredentials: true })
  const source = sources.get(current) ?? createSourceOf(current)
  sources.set(current, source)
  source.open(url)
  return source
}

function createSourceOf (element: Element): Source {
  let address: string
  let life: AbortController | undefined
  let isDone = false
  const source = new EventTarget() as Source
  const { addEventListener } = source
  return Object.assign(source, {
    addEventListener (type: string, listener: EventListener) {
      addEventListener.call(source, type, listener, current && listening.get(current))
    },
    close () { life!.abort() },
    async open (url: string) {
      // One that has come to its end stays closed.
      if (url === address && (isDone || !life!.signal.aborted)) return
      life?.abort()
      const { signal } = life = new AbortController()
      const frames = openStream(element, 'sse-connect', address = url, { credentials: 'include', headers: { Accept: 'text/event-stream' } }, life, reason => {
        if (!reason) source.onopen!(new Event('open'))
        if (reason === 'lost') source.onerror!(new Event('error'))
      })
      for await (const { event = 'message', data, id } of frames) {
        // An element that was replaced by the event before listens only when
        // htmx has processed it, some milliseconds later.
        if (document.querySelector('.htmx-added[sse-swap],.htmx-added [sse-swap]')) await sleep(30)
        source.dispatchEvent(new MessageEvent(event, { data, lastEventId: id }))
        isDone = signal.aborted
      }
    }
  })
}

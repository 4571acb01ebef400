// htmx 2: its extension gets sources of this script instead of EventSources. They
// last as long as their element, so that it never has to make a second one.
import type { ExtensionApi, PartSwap } from './htmx.js'
import { tend } from './lists.js'
import { sleep } from './sleep.js'
import { openStream } from './stream.js'

/** The members of an EventSource that the extension uses. */
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
/** The element that the extension deals with at this moment. */
let current: Element | undefined
/** The same, when its address is what was asked for last. */
let asker: Element | undefined

/** Takes part when htmx 2 processes elements; without it nothing happens. */
export function joinHtmx2 (): void {
  // Before the extension gets it.
  document.addEventListener('htmx:afterProcessNode', () => {
    if (htmx.createEventSource === createSource) return
    htmx.createEventSource = createSource
    htmx.defineExtension?.('chirp', { init: watch })
  }, true)
}

// All extensions are given the same functions, and by these the one for streams
// reads the attributes of an element, also of one that is not in the page and
// has no listener.
function watch (api: ExtensionApi): void {
  const { getAttributeValue } = api
  api.getAttributeValue = (element, name) => {
    if (!current) setTimeout(() => { current = undefined })
    current = element
    asker = undefined
    if (name === 'sse-connect') {
      asker = element
      // What it listened to when it was processed before, it would now hear twice.
      listening.get(element)?.abort()
      listening.set(element, new AbortController())
    }
    return getAttributeValue(element, name)
  }
  tendLists(api)
}

// Events of streams are swapped by a function of these too.
function tendLists (api: ExtensionApi): void {
  const { swap } = api
  const tendList = (list: Element, style: string, content: ParentNode): void => {
    tend(list, style, content, (child, replacement) => {
      swap(child, replacement ?? new DocumentFragment(), { swapStyle: replacement ? 'outerHTML' : 'delete', swapDelay: 0, settleDelay: 0, transition: false })
    })
  }
  /** The content that is swapped in at this moment; its partials go one after the other. */
  let content: DocumentFragment
  /** Its elements for other places, and how they are swapped. */
  let others: Array<[Element, string]> = []
  api.swap = (target, html, specification, options) => {
    // That of the event, or of a partial in it.
    if (typeof html !== 'string' || !/beforeend|afterbegin/.test(specification.swapStyle + html)) return swap(target, html, specification, options)
    const fragment = api.makeFragment(html)
    swap(target, fragment, specification, {
      ...options,
      beforeSwapCallback () {
        others = [...fragment.querySelectorAll('[hx-swap-oob]')].map(other => [other, other.getAttribute('hx-swap-oob')!.split(':')[0]!])
        tendList(target, specification.swapStyle, content = fragment)
      }
    })
  }
  document.addEventListener('htmx:oobBeforeSwap', event => {
    const { target, fragment } = (event as CustomEvent<PartSwap>).detail
    // It is a copy, so that there may be several targets.
    const other = others.find(([element]) => element.isEqualNode(fragment))
    if (other) tendList(target, other[1], fragment)
  })
  document.addEventListener('htmx:partialBeforeSwap', event => {
    const { target, fragment } = (event as CustomEvent<PartSwap>).detail
    const partial = content?.querySelector('template[hx]')
    if (partial) tendList(target, api.getSwapSpecification(partial, partial.getAttribute('hx-swap')).swapStyle, fragment)
  })
}

function createSource (url: string): EventTarget {
  // Another caller.
  if (!asker) return new EventSource(url, { withCredentials: true })
  const source = sources.get(asker) ?? createSourceOf(asker)
  sources.set(asker, source)
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
      const own = life = new AbortController()
      address = url
      // It may come into the page; what was replaced before it was processed does not.
      if (!element.isConnected) await sleep(500)
      const frames = openStream(element, 'sse-connect', url, { credentials: 'include', headers: { Accept: 'text/event-stream' } }, own, (reason, action) => {
        // A refresh after a gap may have changed it.
        if (life === own) address = action
        if (!reason) source.onopen!(new Event('open'))
        if (reason === 'lost') source.onerror!(new Event('error'))
      })
      for await (const { event = 'message', data, id } of frames) {
        // An element that was replaced by the event before listens only when
        // htmx has processed it, some milliseconds later.
        // Browsers find a class alone fast, also in a long page.
        if ([...document.querySelectorAll('.htmx-added')].some(added => added.matches('[sse-swap]') || added.querySelector('[sse-swap]'))) await sleep(30)
        source.dispatchEvent(new MessageEvent(event, { data, lastEventId: id }))
        isDone = own.signal.aborted
      }
    }
  })
}

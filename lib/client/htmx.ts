// The parts of htmx that the script uses.

declare global {
  /** Either generation. */
  const htmx: {
    /** The function that makes the sources of the extension of htmx 2, for others to replace. */
    createEventSource?: (url: string) => unknown
    /** Of htmx 2. */
    defineExtension?: (name: string, extension: { init (api: ExtensionApi): void }) => void
    config: { sse?: { pauseOnBackground?: boolean, reconnect?: boolean } }
    process (element: Element): void
    trigger (element: Element, event: string): void
  }
}

/** The functions that extensions of htmx 2 get: one object for all. */
export interface ExtensionApi {
  getAttributeValue (element: Element, name: string): string | null
  getSwapSpecification (element: Element, value: string | null): SwapSpecification
  makeFragment (html: string): DocumentFragment
  swap (target: Element, content: string | DocumentFragment, specification: SwapSpecification, options?: { beforeSwapCallback?: () => void }): void
}

/** A swap of htmx 2. */
export interface SwapSpecification {
  swapStyle: string
  swapDelay: number
  settleDelay: number
  transition?: boolean
}

/** The event of htmx 2 for a part of an answer that it is about to swap in. */
export interface PartSwap {
  target: Element
  fragment: DocumentFragment
}

/** The context of a request of htmx 4. */
export interface RequestContext {
  sourceElement: Element
  request: { action: string }
  fetch?: (action: string, init: RequestInit) => Response
}

/** One of the things that htmx 4 does with what it swaps in. */
export interface SwapTask {
  /** None when there is no such element. */
  target: Element | null
  swapSpec: { style: string, strip?: boolean, settle?: number }
  fragment: DocumentFragment
}

// What the script uses of htmx.

declare global {
  /** Either generation. */
  const htmx: {
    /** What the extension of htmx 2 makes its sources with, for others to replace. */
    createEventSource?: (url: string) => unknown
    /** Of htmx 2. */
    defineExtension?: (name: string, extension: { init (api: ExtensionApi): void }) => void
    config: { sse?: { pauseOnBackground?: boolean, reconnect?: boolean } }
    process (element: Element): void
    trigger (element: Element, event: string): void
  }
}

/** What extensions of htmx 2 are given: one object for all. */
export interface ExtensionApi {
  getAttributeValue (element: Element, name: string): string | null
  getSwapSpecification (element: Element, value: string | null): SwapSpecification
  makeFragment (html: string): DocumentFragment
  swap (target: Element, content: string | DocumentFragment, specification: SwapSpecification, options?: { beforeSwapCallback?: () => void }): void
}

/** How htmx 2 swaps. */
export interface SwapSpecification {
  swapStyle: string
  swapDelay: number
  settleDelay: number
  transition?: boolean
}

/** What htmx 2 tells of a part of an answer that it is about to swap in. */
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

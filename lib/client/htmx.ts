// What the script uses of htmx.

declare global {
  /** Either generation. */
  const htmx: {
    /** What the extension of htmx 2 makes its sources with, for others to replace. */
    createEventSource?: (url: string) => unknown
    /** Of htmx 2. */
    defineExtension?: (name: string, extension: { init (api: ExtensionApi): void }) => void
    config: { sse?: { pauseOnBackground?: boolean } }
    process (element: Element): void
    trigger (element: Element, event: string): void
  }
}

/** What extensions of htmx 2 are given: one object for all. */
export interface ExtensionApi {
  getAttributeValue (element: Element, name: string): string | null
}

/** The context of a request of htmx 4. */
export interface RequestContext {
  sourceElement: Element
  request: { action: string }
  fetch?: (action: string, init: RequestInit) => Response
}

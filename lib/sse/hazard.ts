// Event names that are legal and still cause trouble in a browser.

// https://html.spec.whatwg.org/multipage/indices.html#events-2: an event of
// such a name would trigger what listens for the real one.
const DOM_EVENTS = new Set([
  'abort', 'beforeunload', 'blur', 'change', 'click', 'close', 'contextmenu', 'copy', 'cut', 'dblclick', 'drag', 'drop', 'focus', 'focusin',
  'focusout', 'hashchange', 'input', 'invalid', 'keydown', 'keypress', 'keyup', 'load', 'mousedown', 'mouseenter', 'mouseleave', 'mousemove',
  'mouseout', 'mouseover', 'mouseup', 'offline', 'online', 'pagehide', 'pageshow', 'paste', 'popstate', 'reset', 'resize', 'scroll', 'select',
  'storage', 'submit', 'toggle', 'touchend', 'touchmove', 'touchstart', 'unload', 'wheel'
])

/** Why an event should have another name; undefined when it is fine. */
export function nameHazard (name: string): string | undefined {
  if (name === 'error' || name === 'open') return 'EventSource has an event of that name of its own'
  if (name === 'message') return 'htmx 4 takes it for a DOM event, where an event without a name is swapped'
  if (name.startsWith('hx:') || name.startsWith('htmx:')) return 'htmx listens for its own events of such names'
  if (DOM_EVENTS.has(name)) return 'it is a DOM event, which triggers requests of elements that listen for it'
}

// Event names that are legal and still cause trouble in a browser.

// https://html.spec.whatwg.org/multipage/indices.html#events-2: an event of
// such a name would trigger what listens for the real one.
const DOM_EVENTS = new Set([
  'abort', 'animationend', 'animationstart', 'auxclick', 'beforeinput', 'beforetoggle', 'beforeunload', 'blur', 'cancel', 'change', 'click',
  'close', 'contextmenu', 'copy', 'cut', 'dblclick', 'drag', 'dragend', 'dragenter', 'dragleave', 'dragover', 'dragstart', 'drop', 'focus',
  'focusin', 'focusout', 'formdata', 'fullscreenchange', 'hashchange', 'input', 'invalid', 'keydown', 'keypress', 'keyup', 'load',
  'mousedown', 'mouseenter', 'mouseleave', 'mousemove', 'mouseout', 'mouseover', 'mouseup', 'offline', 'online', 'pagehide', 'pageshow',
  'paste', 'pointerdown', 'pointerenter', 'pointerleave', 'pointermove', 'pointerup', 'popstate', 'reset', 'resize', 'scroll', 'scrollend',
  'select', 'selectionchange', 'slotchange', 'storage', 'submit', 'toggle', 'touchcancel', 'touchend', 'touchmove', 'touchstart',
  'transitionend', 'unload', 'visibilitychange', 'wheel',
  // Of htmx's own, which it names like those.
  'intersect', 'revealed'
])

/** Why an event should have another name; undefined when it is fine. */
export function nameHazard (name: string): string | undefined {
  if (name === 'error' || name === 'open') return 'EventSource has an event of that name of its own'
  if (name === 'message') return 'on htmx 2 it is what events without a name are called, and on htmx 4 a DOM event'
  if (name.startsWith('hx:') || name.startsWith('htmx:')) return 'htmx listens for its own events of such names'
  if (name.startsWith('chirp:')) return 'this plugin sends events of such names itself'
  if (DOM_EVENTS.has(name)) return 'it is a DOM event, which triggers requests of elements that listen for it'
}

// The little that htmx leaves to us: status lights, the cursor in two cases
// that EventSource does not cover, and an end to lists that grow.
/* global EventSource, htmx */

const SAYS = {
  connecting: 'connecting',
  open: 'live',
  down: 'offline, dialing again',
  closing: 'server closes, back soon',
  busy: 'server full, waiting',
  done: 'done'
}

// --- Status lights -----------------------------------------------------------

// Streams that were told that they are about to end.
const announced = new Set()

function show (stream, state) {
  const light = document.querySelector(`[data-status="${stream.dataset.stream}"]`)
  if (light === null || light.dataset.state === state) return
  light.dataset.state = state
  light.textContent = SAYS[state]
  // For the style sheet: a panel without a connection shows old news.
  stream.dataset.state = state
}

document.addEventListener('htmx:sseOpen', ({ target, detail: { source } }) => {
  show(target, 'open')
  // One source opens again and again, each time that it reconnects.
  if (sources.get(target) === source) return
  sources.set(target, source)
  // What fastify-chirp says before it ends a stream on its own account.
  for (const state of ['closing', 'busy']) {
    source.addEventListener(`chirp:${state}`, () => {
      announced.add(target)
      show(target, state)
    })
  }
  source.addEventListener('chirp:gap', () => startAfterGap(target, source))
})

document.addEventListener('htmx:sseError', ({ target }) => {
  // EventSource calls every end an error. The first one after an announcement is no news.
  if (!announced.delete(target)) show(target, 'down')
})

document.addEventListener('htmx:sseClose', ({ target, detail: { type } }) => {
  sources.delete(target)
  cursors.delete(target.getAttribute('sse-connect'))
  // Else another answer took its place.
  show(target, type === 'message' ? 'done' : 'connecting')
  target.querySelector('[aria-busy]')?.setAttribute('aria-busy', 'false')
})

// --- Cursors -----------------------------------------------------------------

// EventSource sends the last id by itself when it reconnects. After an answer
// other than 200 (a proxy's 503) it gives up instead, and htmx starts a new one
// that knows no id; so we put it into the address, where fastify-chirp reads it.
const cursors = new Map()
const sources = new Map()

document.addEventListener('htmx:sseMessage', ({ target, detail }) => {
  const address = target.closest('[sse-connect]')?.getAttribute('sse-connect')
  if (detail.lastEventId) cursors.set(address, detail.lastEventId)
  trim(target)
})

htmx.createEventSource = address => {
  const url = new URL(address, window.location.href)
  if (cursors.has(address)) url.searchParams.set('lastEventId', cursors.get(address))
  return new EventSource(url)
}

// --- Gaps --------------------------------------------------------------------

// The server cannot go on after our id: it is a new process, or we were away
// for too long. The page knows what it has, so it says that instead. Nothing
// that came after the gap is taken, because it would be out of order.
function startAfterGap (target, source) {
  const shown = [...target.querySelectorAll('[data-keep]')]
    .map(list => [list.getAttribute('sse-swap'), newestOf(list)?.id])
    .filter(([, id]) => id !== undefined)
  cursors.delete(target.getAttribute('sse-connect'))
  target.setAttribute('sse-connect', `/live?${new URLSearchParams(shown)}`)
  announced.add(target)
  show(target, 'connecting')
  // As if it were lost for good: htmx starts a new one.
  source.close()
  source.dispatchEvent(new Event('error'))
}

// When htmx starts a new source it listens once more for all elements inside,
// also for those of an answer, whose source is still the same.
const swapped = new WeakMap()

document.addEventListener('htmx:sseBeforeMessage', event => {
  if (swapped.get(event.target) === event.detail) event.preventDefault()
  swapped.set(event.target, event.detail)
})

// --- Long lists --------------------------------------------------------------

function trim (list) {
  const keep = Number(list.dataset.keep)
  if (!keep) return
  while (list.children.length > keep) (isNewestFirst(list) ? list.lastElementChild : list.firstElementChild).remove()
}

function newestOf (list) {
  return isNewestFirst(list) ? list.firstElementChild : list.lastElementChild
}

function isNewestFirst (list) {
  return list.getAttribute('hx-swap') === 'afterbegin'
}

// --- Back and forward --------------------------------------------------------

// A page that waits in the back/forward cache would hold on to its connection,
// of which there are six. It lets go, and is read anew when it comes back.
window.addEventListener('pagehide', () => sources.forEach(source => source.close()))
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) window.location.reload() })

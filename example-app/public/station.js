// The little that htmx and the client script of fastify-chirp leave to us: words
// for the status lights, an alert, and an end to lists that grow.
/* global MutationObserver */

// --- Status lights -----------------------------------------------------------

// By why a stream is not connected, or that it is.
const SAYS = {
  connected: 'live',
  lost: 'offline, dialing again',
  closing: 'server closes, back soon',
  busy: 'server full, waiting',
  gap: 'was away for long, reading anew',
  hidden: 'asleep while nobody looks',
  closed: 'done'
}

function show (stream, state) {
  const light = document.querySelector(`[data-status="${stream.dataset.stream}"]`)
  if (light === null) return
  light.dataset.state = state
  light.textContent = SAYS[state]
}

document.addEventListener('chirp:connected', ({ target }) => show(target, 'connected'))

document.addEventListener('chirp:disconnected', ({ target, detail: { reason } }) => {
  show(target, reason)
  if (reason === 'closed') target.querySelector('[aria-busy]')?.setAttribute('aria-busy', 'false')
})

// --- Errors of a source ------------------------------------------------------

// On htmx 4 an event with a name is an event of the page; on htmx 2 sse-swap takes it.
document.addEventListener('chirp:error', ({ target, detail }) => {
  target.querySelector('.alert').textContent = detail.data
})

// --- Long lists --------------------------------------------------------------

new MutationObserver(changes => {
  for (const { target } of changes) if (target.dataset?.keep !== undefined) trim(target)
}).observe(document.body, { childList: true, subtree: true })

function trim (list) {
  const isNewestFirst = list.getAttribute('hx-swap') === 'afterbegin'
  while (list.children.length > Number(list.dataset.keep)) (isNewestFirst ? list.lastElementChild : list.firstElementChild).remove()
}

// The little that htmx and the client script of fastify-chirp leave to us: words
// for the status lights, and an alert.

// --- Status lights -----------------------------------------------------------

// By why a stream is not connected, or that it is.
const SAYS = {
  connected: 'live',
  lost: 'offline, dialing again',
  closing: 'server closes, back soon',
  busy: 'five streams of this browser are open: close a tab',
  gap: 'was away for long, reading again',
  hidden: 'asleep while the tab is hidden',
  closed: 'done',
  failed: 'failed'
}

function show (stream, state) {
  const light = document.querySelector(`[data-status="${stream.dataset.stream}"]`)
  if (light === null) return
  light.dataset.state = state
  light.textContent = SAYS[state]
}

document.addEventListener('chirp:connected', ({ target }) => {
  // What had failed is over.
  target.querySelector('.alert').textContent = ''
  show(target, 'connected')
})

document.addEventListener('chirp:disconnected', ({ target, detail: { reason } }) => {
  const hasFailed = reason === 'closed' && target.querySelector('.alert').textContent !== ''
  show(target, hasFailed ? 'failed' : reason)
  if (reason === 'closed') target.querySelector('[aria-busy]')?.setAttribute('aria-busy', 'false')
})

// --- Errors of a source ------------------------------------------------------

// On htmx 4 an event with a name is an event of the page; on htmx 2 sse-swap takes it.
document.addEventListener('chirp:error', ({ target, detail }) => {
  target.querySelector('.alert').textContent = detail.data
})

// --- Typing that survives ----------------------------------------------------

// What is typed in a line stays when the line is morphed. htmx 4 has its own way.
if (window.Idiomorph !== undefined) window.Idiomorph.defaults.ignoreActiveValue = true

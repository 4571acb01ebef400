// The same for what is loaded in a browser.
import 'fastify-chirp/client'
import type { DisconnectReason, StreamState } from 'fastify-chirp/client'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function expectType<Expected> (): <Actual>(value: Actual, same: Equal<Actual, Expected>) => void {
  return () => {}
}

document.addEventListener('chirp:connected', ({ detail }) => expectType<string>()(detail.url, true))
document.body.addEventListener('chirp:disconnected', event => {
  expectType<DisconnectReason>()(event.detail.reason, true)
  expectType<string>()(event.detail.url, true)
  // @ts-expect-error there is no such reason
  if (event.detail.reason === 'tired') event.preventDefault()
})
window.addEventListener('chirp:disconnected', event => expectType<DisconnectReason>()(event.detail.reason, true))

const state: StreamState = 'reconnecting'
// @ts-expect-error there is no such state
const wrong: StreamState = state === 'reconnecting' ? 'open' : state
expectType<StreamState>()(wrong, true)

document.addEventListener('chirp:refused', event => {
  expectType<string | undefined>()(event.detail.location, true)
  expectType<number>()(event.detail.status, true)
  event.preventDefault()
})
document.addEventListener('chirp:stale', ({ detail }) => expectType<string>()(detail.url, true))
document.addEventListener('chirp:disconnected', ({ detail }) => expectType<string | undefined>()(detail.location, true))

// The generators that all contestants send. `wrap` makes of a value what the
// contestant takes, so that none pays for a second generator.

const same = (value) => value

/** `n` small events that are ready at once. */
export async function * ticks (n, wrap = same) {
  for (let i = 0; i < n; i++) yield wrap({ i, t: 'tick' })
}

/** One event, and nothing after it for ever. */
export async function * pending (wrap = same) {
  yield wrap({ i: 0, t: 'tick' })
  // Someone must hold the promise, as an emitter or a timer does in an app:
  // else the whole generator is garbage, and costs nothing in the figures.
  await new Promise((resolve) => held.push(resolve))
}

const held = []

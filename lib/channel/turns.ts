// Replays take turns, so that neither a long one nor many together keep the
// event loop from other work.

// How many go on in one turn of the loop.
const AT_ONCE = 8

const waiting: Array<() => void> = []

/** Resolves in a later turn of the event loop, in the order of the calls. */
export function nextTurn (): Promise<void> {
  return new Promise(resolve => {
    if (waiting.push(resolve) === 1) setImmediate(goOn)
  })
}

function goOn (): void {
  for (const resolve of waiting.splice(0, AT_ONCE)) resolve()
  if (waiting.length > 0) setImmediate(goOn)
}

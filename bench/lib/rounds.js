// Runs every contestant once per round, each round in another order.
import { title } from './contestants.js'
import { Results } from './stats.js'

/**
 * Gives the Results of `measure(name)`. A contestant that fails is left out
 * from then on, and so are rounds that would not end before `deadline`, on the
 * clock of performance.now(); `notes` says so.
 */
export async function interleave (names, rounds, measure, notes = [], deadline = Infinity) {
  const results = new Results(names.map((name) => [name, []]))
  const from = performance.now()
  for (let round = 0; round < rounds; round++) {
    const now = performance.now()
    if (round > 0 && now + (now - from) / round > deadline) {
      notes.push(`${round} instead of ${rounds} rounds of a case were run, for lack of time.`)
      break
    }
    const order = [...results.keys()]
    const first = round % order.length
    for (const name of [...order.slice(first), ...order.slice(0, first)]) {
      try {
        results.get(name).push(await measure(name))
      } catch (error) {
        results.delete(name)
        notes.push(`${title(name)} was left out: ${error.message}`)
      }
    }
  }
  return results
}

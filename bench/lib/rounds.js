// Runs every contestant once per round, each round in another order.
import { Results } from './stats.js'

/**
 * Gives the Results of `measure(name)`. A contestant that fails is left out
 * from then on, and said so in `notes`.
 */
export async function interleave (names, rounds, measure, notes = []) {
  const results = new Results(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const order = [...results.keys()]
    const first = round % order.length
    for (const name of [...order.slice(first), ...order.slice(0, first)]) {
      try {
        results.get(name).push(await measure(name))
      } catch (error) {
        results.delete(name)
        notes.push(`${name} was left out: ${error.message}`)
      }
    }
  }
  return results
}

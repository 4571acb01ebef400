// Results that several rules need are computed once for each check.
import type { Model } from '../scan/model.js'

/** A function that remembers its result for each model. */
export function once<T> (make: (model: Model) => T): (model: Model) => T {
  const made = new WeakMap<Model, { result: T }>()
  return model => {
    let known = made.get(model)
    if (known === undefined) made.set(model, known = { result: make(model) })
    return known.result
  }
}

// Several fragments that change a page together: one message, several targets.
import { FST_CHIRP_FRAGMENT } from '../errors.js'
import { idProblem, normalizeId, retryProblem } from '../sse/field.js'
import { describe } from '../util/describe.js'
import { isList, isOf } from '../util/kind.js'
import { unknownOption } from '../util/options.js'
import { disregard, isPromise } from '../util/promise.js'
import { Fragment } from './fragment.js'

/** The options of {@link Fragments}. They belong to the one message, so its fragments have none of their own. */
export interface FragmentsOptions {
  /** The message's id, which the client sends back when it reconnects. Default: none. */
  id?: string | number | bigint | undefined
  /** Reconnection time in milliseconds, 0..2147483647. Default: none. */
  retry?: number | undefined
}

/**
 * Fragments that arrive in one message, each at the element whose id is its
 * target. One that fails is left out, or is replaced by its error box in
 * debug; the others arrive. On htmx 2 the page needs version 2.0.11 and an
 * element with `sse-swap="message"`.
 *
 * @throws FST_CHIRP_FRAGMENT when there is no fragment, something else is in
 * the list, a fragment has an `id` or `retry` of its own, or `id` or `retry`
 * cannot go on the wire.
 */
export class Fragments {
  /** The fragments, in the order of the list that was given. */
  readonly fragments: readonly Fragment[]
  /** The message's id, as a string. */
  readonly id: string | undefined
  /** Reconnection time in milliseconds. */
  readonly retry: number | undefined

  constructor (fragments: readonly Fragment[], options: FragmentsOptions = {}) {
    if (!isList(fragments)) refuse(`the fragments must be a list, new Fragments([one, two]), not ${describe(fragments)}`)
    if (fragments.length === 0) refuse('the list is empty. Give it at least one Fragment')
    if (typeof options !== 'object' || options === null || isPromise(options)) {
      disregard(options)
      refuse('the options must be an object, such as { id: 7 }')
    }
    refuse(unknownOption('of new Fragments()', options, ['id', 'retry']))
    // A copy that has no holes, which every() would skip.
    const list = Array.from<Fragment>(fragments)
    for (const [n, fragment] of list.entries()) {
      if (!isOf(fragment, Fragment)) refuse(`number ${n + 1} of the list is ${describe(fragment)}. Make each of them with new Fragment()`)
      for (const field of ['id', 'retry'] as const) {
        if (fragment[field] !== undefined) {
          refuse(`number ${n + 1} of the list has ${field === 'id' ? 'an id' : 'a retry'} of its own, and one message carries one. Give it to all, new Fragments(list, { ${field} })`)
        }
      }
    }
    const { id, retry } = options
    refuse(id === undefined ? undefined : idProblem(id))
    refuse(retry === undefined ? undefined : retryProblem(retry))

    this.fragments = Object.freeze(list)
    this.id = id === undefined ? undefined : normalizeId(id)
    this.retry = retry
    Object.freeze(this)
  }
}

function refuse (problem: string | undefined): void {
  if (problem !== undefined) throw new FST_CHIRP_FRAGMENT('Fragments', problem)
}

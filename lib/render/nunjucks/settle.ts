// From callbacks to values and promises.
import type { MaybePromise } from '../../util/promise.js'
import type { PageStream } from '../renderer.js'
import { failureOf, toFault, type Subject } from './fault.js'
import type { Host } from './host.js'
import type { Callback } from './internals.js'

/**
 * What a call that answers by callback gives: at once if it answers at once.
 * Templates may answer more than once; the first answer counts.
 *
 * @throws FST_CHIRP_* or rejects with it.
 */
export function settle<T> (host: Host, subject: Subject, page: PageStream | undefined, start: (callback: Callback<T>) => void): MaybePromise<T> {
  let finish: (() => T) | undefined
  let report: ((finish: () => T) => void) | undefined
  const callback: Callback<T> = (error, result) => {
    if (finish !== undefined) return
    // Only compiled code answers with something else than a Fault, from the place where it is.
    const failure = error ? failureOf(toFault(error, host.site), subject) : undefined
    finish = () => {
      if (failure !== undefined) throw failure
      return result as T
    }
    report?.(finish)
  }
  try {
    host.current.within(page, () => start(callback))
  } catch (error) {
    callback(error)
  }
  if (finish !== undefined) return (finish as () => T)()
  return new Promise<() => T>(resolve => { report = resolve }).then(finish => finish())
}

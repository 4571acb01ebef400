// The audience of an event, and the filters that read it.
import { FST_CHIRP_OPTION } from '../errors.js'
import { Entry } from '../message/entry.js'
import { describe } from '../util/describe.js'
import { isOf } from '../util/kind.js'
import { refuseUnknown } from '../util/options.js'
import { isPromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'

/** Whether a reader may see an event that was published for an audience. */
export type AudienceFilter<Audience = unknown> = (audience: Audience) => boolean

/** Whether an event for `audience` is for a reader with that filter. */
export function maySee (filter: AudienceFilter | undefined, audience: unknown): boolean {
  if (audience === undefined) return true
  const answer: unknown = filter?.(audience)
  if (!isPromise(answer)) return answer === true
  // Nothing awaits this promise, and it may fail.
  answer.then(undefined, () => {})
  throw new FST_CHIRP_OPTION('option "filter" must answer at once, not with a promise. Look up the data that it needs before')
}

// A misspelt audience would send an event for one to everyone. An event from another channel keeps its audience.
export function audienceOf (value: unknown, options: { audience?: unknown }): unknown {
  refuseUnknown('of publish()', options, ['audience'])
  const { audience } = options
  if (audience === undefined) return isOf(value, Entry) ? value.audience : undefined
  if (isPromise(audience)) throw new FST_CHIRP_OPTION(`option "audience" of publish() must be plain data, not ${describe(audience)}. Await it first`)
  return audience
}

// Values are told apart by the JSON of their audiences.
export function checkAudience (audience: unknown): void {
  try {
    JSON.stringify(audience)
  } catch (cause) {
    throw new FST_CHIRP_OPTION(`option "audience" of publish() must be plain data, and JSON refused it (${messageOf(cause)})`, { cause })
  }
}
